/** The axis of one figure of the chart: its range, its ticks, and where a price stands on it. */

import {axisLabel, priceTicks} from "quotewire/chart/price_ticks.js";

const PADDING = 0.06;
/** A label nearer to an end would be cut. */
const LABEL_PX = 8;
/** @type {import("../panel.d.ts").Here} */
const HERE = {sync: false};

/**
 * @typedef {import("../panel.d.ts").Model} Model
 * @typedef {import("../panel.d.ts").Range} Range
 *
 * @typedef {object} Parts
 * @property {Model} plot
 * @property {Range} range
 * @property {Model} axis
 * @property {Model} ticker
 * @property {Model} grid
 * @property {Model} [linear] a scale; only of a figure that can be logarithmic
 * @property {Model} [log]
 *
 * @typedef {object} Look
 * @property {"linear" | "log" | "percent"} [scale]
 * @property {number} [base] the price that is 0 %
 * @property {number} decimals
 * @property {number} most ticks
 * @property {number} height of the figure, in pixels
 * @property {boolean} [fromZero] whether the range begins at 0
 * @property {(value: number) => string} [format] of ticks, in place of the usual
 */

export class PriceAxis {
  /** Letters of the longest label. */
  widest = 0;
  #parts;
  /** @type {Look} */
  #look = {decimals: 2, most: 8, height: 1};
  #isLog = false;
  #drawn = "";

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  get range() {
    return this.#parts.range;
  }

  /** Show all from the lowest to the highest. @param {number} low @param {number} high @param {Look} look */
  fit(low, high, look) {
    this.#look = look;
    this.#scale(look.scale === "log" && low > 0 && this.#parts.log !== undefined);
    const [start, end] = this.#isLog ? paddedLog(low, high) : padded(low, high, look.fromZero);
    this.#parts.range.setv({start, end}, HERE);
    const ticks = priceTicks({low: start, high: end, ...look, scale: this.#scaleName})
      .filter(({at}) => this.#hasRoom(at, look.height));
    this.#label(look.format ? ticks.map(({at}) => ({at, label: look.format?.(at) ?? ""})) : ticks);
  }

  /** @param {number} price @returns {number} which share of the height stands above it */
  share(price) {
    const {start, end} = this.#parts.range;
    if (!this.#isLog) return (end - price) / (end - start);
    return price > 0 ? Math.log(end / price) / Math.log(end / start) : Infinity;
  }

  /** @param {number} share of the height, from above @returns {number} */
  priceAt(share) {
    const {start, end} = this.#parts.range;
    return this.#isLog ? end * (start / end) ** share : end - share * (end - start);
  }

  /** @param {number} price as this axis tells prices */
  text(price) {
    return this.#look.format?.(price) ?? axisLabel(price, {...this.#look, scale: this.#scaleName});
  }

  /** @param {number} at @param {number} height */
  #hasRoom(at, height) {
    const above_px = this.share(at) * height;
    return above_px > LABEL_PX && above_px < height - LABEL_PX;
  }

  /** A logarithmic axis has no place for zero and below. */
  get #scaleName() {
    const {scale = "linear"} = this.#look;
    return scale === "log" && !this.#isLog ? "linear" : scale;
  }

  /** @param {boolean} isLog */
  #scale(isLog) {
    if (isLog === this.#isLog) return;
    this.#isLog = isLog;
    this.#parts.plot.setv({y_scale: isLog ? this.#parts.log : this.#parts.linear}, HERE);
  }

  /**
   * Axes are laid out anew when their labels change, so only then.
   *
   * @param {import("./price_ticks.js").Tick[]} ticks
   */
  #label(ticks) {
    const drawn = ticks.map(({at, label}) => `${at} ${label}`).join();
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.widest = Math.max(0, ...ticks.map(({label}) => label.length));
    const labels = new Map(ticks.map(({at, label}) => [at, label]));
    this.#parts.axis.setv({major_label_overrides: labels}, HERE);
    this.#parts.ticker.setv({ticks: ticks.map(({at}) => at)}, HERE);
  }
}

/** @param {number} low @param {number} high @param {boolean} [fromZero] */
function padded(low, high, fromZero) {
  const padding = (high - low || Math.abs(high) || 1) * PADDING;
  if (fromZero) return [0, (high || 1) * (1 + PADDING)];
  return [low - padding, high + padding];
}

/** @param {number} low @param {number} high */
function paddedLog(low, high) {
  const padding = (high / low) ** PADDING;
  return padding > 1 ? [low / padding, high * padding] : [low / 1.05, high * 1.05];
}
