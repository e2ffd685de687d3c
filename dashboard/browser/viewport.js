/**
 * What part of the bars is in view, and the axes that go with it.
 *
 * The newest bars are in view until the user pans away, and again from `goLive` on. Prices and
 * volumes are fitted to what is in view.
 */

import {formatVolume} from "quotewire/format.js";
import {dateTicks} from "quotewire/ticks.js";

const VISIBLE_BARS = 120;
const FEWEST_BARS = 15;
/** Empty bars' worth of room right of the newest. */
const ROOM = 3;
/** A bar is not drawn narrower than this, unless the user zooms out. */
const BAR_WIDTH_PX = 5;
const PRICE_PADDING = 0.06;
const TICK_WIDTH_PX = 72;

/**
 * Bokeh models, of which this sets what is in view.
 *
 * @typedef {import("./panel.d.ts").Model} Model
 * @typedef {import("./panel.d.ts").Range} Range
 * @typedef {{x_range: Range, price_range: Range, volume_range: Range, date_axis: Model,
 *   date_ticks: Model, volume_axis: Model, volume_ticks: Model}} Axes
 */

export class Viewport {
  following = true;
  #axes;
  #bars;
  #width;
  #onFitted;
  #ours = false;
  #drawn = "";

  /**
   * @param {Axes} axes
   * @param {import("./bar_source.js").BarSource} bars
   * @param {() => number} width of the figure, in pixels
   * @param {() => void} onFitted called when another part is in view, or the same by another scale
   */
  constructor(axes, bars, width, onFitted) {
    this.#axes = axes;
    this.#bars = bars;
    this.#width = width;
    this.#onFitted = onFitted;
  }

  /** Call on each change of the range of x. */
  moved() {
    if (this.#ours) return;
    const {end} = this.#axes.x_range;
    this.following = end >= this.#bars.extent.end - 1;
    this.fit();
  }

  /** The newest bars, in the usual number. */
  home() {
    const room = Math.floor(this.#width() / BAR_WIDTH_PX);
    const bars = Math.min(VISIBLE_BARS, Math.max(FEWEST_BARS, room));
    this.#show(this.#liveEnd - bars - ROOM);
  }

  /** Back to the newest bars, as wide as the view is. */
  goLive() {
    const {start, end} = this.#axes.x_range;
    this.#show(this.#liveEnd - (end - start));
  }

  /** Call after all bars were drawn anew: the same ones stay in view. @param {number} by */
  renumbered(by) {
    const {start, end} = this.#axes.x_range;
    if (this.following) this.#show(this.#liveEnd - (end - start));
    else this.#set(this.#axes.x_range, {start: start + by, end: end + by, bounds: this.#bounds});
    this.fit();
  }

  /** Call after bars were drawn. */
  barsChanged() {
    const {start, end} = this.#axes.x_range;
    if (this.following && this.#liveEnd > end) this.#show(this.#liveEnd - (end - start));
    else this.fit();
  }

  /** Fit prices, volumes and dates to the bars in view. */
  fit() {
    const {start, end} = this.#axes.x_range;
    const {x, start_ms, low, high, volume} = this.#bars.between(start, end);
    if (!x.length) return;
    const [lowest, highest] = [Math.min(...low), Math.max(...high)];
    const padding = (highest - lowest || Math.abs(highest) || 1) * PRICE_PADDING;
    this.#set(this.#axes.price_range, {start: lowest - padding, end: highest + padding});
    this.#fitVolume(Math.max(...volume));
    this.#labelDates(x, start_ms);
    this.#onFitted();
  }

  get #liveEnd() {
    return this.#bars.extent.end - 1 + ROOM;
  }

  get #bounds() {
    return [this.#bars.extent.first - ROOM, this.#liveEnd + ROOM];
  }

  /** @param {number} start */
  #show(start) {
    this.following = true;
    this.#set(this.#axes.x_range, {start, end: this.#liveEnd, bounds: this.#bounds});
    this.fit();
  }

  /** @param {number} most */
  #fitVolume(most) {
    const tick = roundDown((most || 1) * 0.75);
    const labels = new Map([[tick, formatVolume(tick)]]);
    this.#set(this.#axes.volume_range, {start: 0, end: (most || 1) * 1.1});
    this.#set(this.#axes.volume_ticks, {ticks: [tick]});
    this.#set(this.#axes.volume_axis, {major_label_overrides: labels});
  }

  /**
   * Axes are laid out anew when their labels change, so only then.
   *
   * @param {number[]} x of the bars in view
   * @param {number[]} starts_ms
   */
  #labelDates(x, starts_ms) {
    const most = Math.max(2, Math.floor(this.#width() / TICK_WIDTH_PX));
    const ticks = dateTicks(starts_ms, most);
    const drawn = ticks.map(({index, label}) => `${x[index]} ${label}`).join();
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    /** @type {[number, string][]} */
    const labels = ticks.map(({index, label}) => [x[index], label]);
    this.#set(this.#axes.date_ticks, {ticks: ticks.map(({index}) => x[index])});
    this.#set(this.#axes.date_axis, {major_label_overrides: new Map(labels)});
  }

  /** @param {Model} model @param {object} values */
  #set(model, values) {
    this.#ours = true;
    model.setv(values, {sync: false});
    this.#ours = false;
  }
}

/** To 1, 2 or 5 times a power of ten. @param {number} value */
function roundDown(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([5, 2].find((step) => step * power <= value) ?? 1);
}
