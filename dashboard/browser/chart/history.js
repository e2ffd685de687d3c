/** How far back a chart reaches: ranges, and older bars as the view nears its left end. */

import {LongSeries} from "quotewire/chart/long_series.js";
import {rangeStart} from "quotewire/chart/ranges.js";
import {h, setText} from "quotewire/dom.js";
import {zoneOffset} from "quotewire/zone.js";

/** Older bars are asked for when fewer of these are left of the view. */
const LEAST_BARS = 60;
/** … or fewer than this share of what is in view. */
const LEAST_SHARE = 0.3;
/** @type {Record<import("./long_series.js").State, string>} */
const WORDS = {
  idle: "", loading: "Loading older bars …", end: "No older bars",
  full: "A longer interval reaches further back", failed: "Older bars could not be loaded.",
};

/** @typedef {import("../core/bars.js").Bar} Bar */

export class History {
  #words = h("span", {role: "status"});
  #retry = h("button", {
    type: "button", "data-testid": "older-retry", onclick: () => this.#series.retry(),
  }, "Retry");
  element = h("p", {class: "older", hidden: true, "data-testid": "older"}, this.#words);
  #series;
  #figure;
  #range;
  #onBars;
  #zone = "UTC";
  #drawn = false;

  /**
   * @param {import("../connection.js").Connection} connection
   * @param {import("./figure.js").ChartFigure} figure
   * @param {() => string} range that is to be in view; empty for what is
   * @param {() => void} onBars called when others are drawn, or it is known that there are none
   */
  constructor(connection, figure, range, onBars) {
    this.#figure = figure;
    this.#range = range;
    this.#onBars = onBars;
    this.#series = new LongSeries((...asked) => connection.ask(...asked), () => this.#older());
  }

  get state() {
    return this.#series.state;
  }

  /** @param {string} symbol @param {string} interval @param {string[]} indicators @param {string} zone */
  begin(symbol, interval, indicators, zone) {
    this.#zone = zone;
    this.#drawn = false;
    this.#series.begin(symbol, interval, indicators);
    this.#mark();
  }

  /** @param {string[]} indicators */
  compute(indicators) {
    this.#series.compute(indicators);
  }

  /** Nothing is drawn any more. */
  end() {
    this.#series.end();
  }

  /** @param {readonly Bar[]} bars @param {import("../delivery.js").BarChange} change */
  take(bars, {reset, since_ms}) {
    this.#series.take(bars);
    if (!reset && this.#drawn) {
      const {end} = this.#figure.bars.extent;
      this.#figure.update(bars, since_ms);
      if (this.#figure.bars.extent.end !== end) this.#keepRange();
      return;
    }
    const anew = this.#figure.draw(this.#series.bars);
    this.#drawn = true;
    if (!anew) return this.#keepRange();
    this.showRange();
    this.#onBars();
  }

  /** Its newest bars go on, and it begins where it does. */
  #keepRange() {
    if (this.#figure.viewport.following) this.showRange();
  }

  /** Older bars are wanted. @returns {boolean} whether some may come */
  reachBack() {
    if (this.state === "end" || this.state === "full") return false;
    this.#series.load();
    return true;
  }

  /** Show the range that is asked for, as far as there are bars. */
  showRange() {
    const range = this.#range();
    const {bars, viewport} = this.#figure;
    const starts = bars.all.map(({start_ms}) => start_ms);
    if (!range || !starts.length) return;
    const {index, whole} = rangeStart(range, starts, (ms) => zoneOffset(this.#zone, ms));
    viewport.from(bars.extent.first + index);
    if (!whole) this.#series.load();
  }

  /** Other bars are in view. */
  viewed() {
    const {bars, viewport} = this.#figure;
    const left = viewport.start - bars.extent.first;
    const near = left < Math.max(LEAST_BARS, LEAST_SHARE * (viewport.end - viewport.start));
    // What failed was wanted: it is asked for again as long as the chart is looked at.
    if ((near && !viewport.following) || this.state === "failed") this.#series.load();
    this.#mark(left <= 0);
  }

  #older() {
    const {bars} = this.#figure;
    const all = this.#series.bars;
    // Others, or the same with other indicators.
    if (this.#drawn && all.length && all[0] !== bars.all[0]) {
      this.#figure.draw(all);
      if (this.#range()) this.showRange();
    }
    this.#onBars();
    this.#mark();
  }

  /** @param {boolean} [atEnd] whether the first bar is in view */
  #mark(atEnd = this.#figure.viewport.start <= this.#figure.bars.extent.first) {
    const {state} = this;
    this.element.hidden = !(state === "loading" || state === "failed" || (atEnd && state !== "idle"));
    this.element.toggleAttribute("data-busy", state === "loading");
    setText(this.#words, WORDS[state]);
    if (state !== "failed") this.#retry.remove();
    else if (!this.#retry.isConnected) this.element.append(this.#retry);
  }
}
