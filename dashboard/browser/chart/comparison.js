/** Other symbols beside the chart's: their bars, and what the legend says of them. */

import {LegendEntry} from "quotewire/chart/legend.js";
import {LongSeries} from "quotewire/chart/long_series.js";
import {NOTHING, formatPercent} from "quotewire/format.js";

/** The palette's first colours are for indicators. */
const FIRST_COLOUR = 4;

/**
 * @typedef {import("../core/bars.js").Bar} Bar
 * @typedef {import("./figure.js").ChartFigure} ChartFigure
 * @typedef {{symbol: string, series: LongSeries, entry: LegendEntry, stop: () => void}} Other
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
    const {compared, bars} = this.#figure;
    compared.show(symbols);
    this.#others = compared.shown.map(({symbol}, slot) => this.#begin(symbol, slot, interval));
    bars.redraw(compared.table);
    return true;
  }

  /** @param {string} symbol @param {number} slot @param {string} interval @returns {Other} */
  #begin(symbol, slot, interval) {
    const series = new LongSeries((...asked) => this.#connection.ask(...asked), () => this.#drawn(slot));
    series.begin(symbol, interval, []);
    const stop = this.#connection.subscribeBars(symbol, interval, (live, {reset}) => {
      series.take(live);
      this.#take(slot, reset);
    });
    const entry = new LegendEntry({
      name: symbol, title: `${symbol}, from the first bar in view on`,
      colours: [`var(--series-${colourOf(slot) + 1})`], onRemove: () => this.#onRemove(symbol),
    }, `compared-${symbol}`);
    return {symbol, series, stop, entry};
  }

  /** As far back as the chart goes. @param {number} from_ms */
  reach(from_ms) {
    for (const {series} of this.#others) {
      const [first] = series.bars;
      if (first && first.start_ms > from_ms) series.load(from_ms);
    }
  }

  /** Values of all at a bar. @param {Bar | null} bar @param {Bar | undefined} first in view */
  describe(bar, first) {
    this.#others.forEach(({entry}, slot) => {
      const ratio = bar && first ? this.#figure.compared.ratio(slot, bar, first) : NaN;
      entry.show([Number.isFinite(ratio) ? formatPercent(ratio) : NOTHING]);
    });
  }

  end() {
    for (const {stop} of this.#others.splice(0)) stop();
    this.#key = "";
  }

  /** @param {number} slot @param {boolean} whole whether more than its last bar changed */
  #take(slot, whole) {
    const {compared, bars} = this.#figure;
    const {series} = this.#others[slot];
    const before = compared.shown[slot].bars.length;
    compared.take(slot, series.bars);
    if (whole || Math.abs(series.bars.length - before) > 1) bars.redraw(compared.table);
    else bars.patchLast(compared.table);
    this.#figure.requestFit();
  }

  /** @param {number} slot */
  #drawn(slot) {
    if (this.#others[slot]?.series.state !== "loading") this.#take(slot, true);
  }
}
