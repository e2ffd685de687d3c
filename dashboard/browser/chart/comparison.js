/** Other symbols beside the chart's: their bars, and what the legend says of them. */

import {explainNoBars} from "quotewire/absence.js";
import {LegendEntry} from "quotewire/chart/legend.js";
import {LongSeries} from "quotewire/chart/long_series.js";
import {NOTHING, formatPercent} from "quotewire/format.js";

/** The palette's first colours are for indicators. */
const FIRST_COLOUR = 4;

/**
 * @typedef {import("../core/bars.js").Bar} Bar
 * @typedef {import("./figure.js").ChartFigure} ChartFigure
 * @typedef {{symbol: string, slot: number, series: LongSeries, entry: LegendEntry, stop: () => void}} Other
 */

/** @param {number} slot */
export const colourOf = (slot) => FIRST_COLOUR + slot;

export class Comparison {
  #connection;
  #figure;
  #onRemove;
  /** @type {Other[]} by slot */
  #others = [];
  #key = "";
  #interval = "";

  /**
   * @param {import("../connection.js").Connection} connection
   * @param {ChartFigure} figure
   * @param {(symbol: string) => void} onRemove
   */
  constructor(connection, figure, onRemove) {
    this.#connection = connection;
    this.#figure = figure;
    this.#onRemove = onRemove;
  }

  /** @returns {LegendEntry[]} */
  get entries() {
    return this.#others.map(({entry}) => entry);
  }

  /** @param {string[]} symbols @param {string} interval @returns {boolean} whether these are others */
  show(symbols, interval) {
    const key = [interval, ...symbols].join(" ");
    if (key === this.#key) return false;
    this.end();
    this.#key = key;
    this.#interval = interval;
    const {compared, bars, supply} = this.#figure;
    compared.show(symbols);
    supply.want({compared: compared.shown.length});
    compared.shown.forEach(({symbol}, slot) => this.#begin(symbol, slot));
    bars.redraw(compared.table);
    return true;
  }

  /** @param {string} symbol @param {number} slot */
  #begin(symbol, slot) {
    const series = new LongSeries((...asked) => this.#connection.ask(...asked), () => this.#older(other));
    const entry = new LegendEntry({
      name: symbol, title: `${symbol}, from the first bar in view on`,
      colours: [`var(--series-${colourOf(slot) + 1})`], onRemove: () => this.#onRemove(symbol),
    }, `compared-${symbol}`);
    /** @type {Other} */
    const other = {symbol, slot, series, entry, stop: () => {}};
    this.#others.push(other);
    series.begin(symbol, this.#interval, []);
    other.stop = this.#connection.subscribeBars(symbol, this.#interval, (live, {reset}) => {
      series.take(live);
      this.#take(other, reset);
    });
  }

  /** As far back as the chart goes. @param {number} from_ms */
  reach(from_ms) {
    for (const {series} of this.#others) series.reach(from_ms);
  }

  /** Values of all at a bar. @param {Bar | null} bar @param {Bar | undefined} first in view */
  describe(bar, first) {
    for (const other of this.#others) {
      const ratio = bar && first ? this.#figure.compared.ratio(other.slot, bar, first) : NaN;
      if (Number.isFinite(ratio)) other.entry.show([formatPercent(ratio)]);
      else this.#explain(other);
    }
  }

  end() {
    for (const {stop, series} of this.#others.splice(0)) {
      stop();
      series.end();
    }
    this.#key = "";
  }

  /** Why it has no value there: in a word, with the rest in the title. @param {Other} other */
  #explain({symbol, series, entry}) {
    const failed = this.#connection.failure("bars", this.#interval, symbol)
      ?? this.#connection.historyFailure(symbol, this.#interval);
    if (failed) entry.show(["not loaded"], failed.reason);
    else if (series.state === "failed") entry.show(["not loaded"], "Its older bars could not be loaded.");
    else if (series.state === "loading") entry.show(["loading …"]);
    else if (series.state === "full") entry.show([NOTHING], "A longer interval reaches further back.");
    else if (series.bars.length) entry.show([NOTHING]);
    else entry.show(["loading …"], explainNoBars(this.#connection, symbol, this.#interval));
  }

  /** @param {Other} other @param {boolean} whole whether more than its last bar changed */
  #take(other, whole) {
    const {slot, series} = other;
    if (this.#others[slot] !== other) return; // it came late
    const {compared, bars} = this.#figure;
    const before = compared.shown[slot].bars.length;
    compared.take(slot, series.bars);
    if (whole || Math.abs(series.bars.length - before) > 1) bars.redraw(compared.table);
    else bars.patchLast(compared.table);
    this.#figure.requestFit();
  }

  /** @param {Other} other */
  #older(other) {
    if (other.series.state !== "loading") this.#take(other, true);
    else this.#figure.requestFit(); // which tells of it
  }
}
