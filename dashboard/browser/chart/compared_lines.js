/**
 * Other symbols' closes over the prices, in percent: all start together at the first bar in view.
 *
 * Each has a range of its own. To rebase it, that range is moved: its closes stay as they are.
 */

import {bases, closeAt} from "quotewire/chart/align.js";
import {BarTable} from "quotewire/chart/bar_table.js";
import {glyphOf} from "quotewire/chart/looks.js";

/** @type {import("../panel.d.ts").Here} */
const HERE = {sync: false};

/**
 * @typedef {import("../core/bars.js").Bar} Bar
 * @typedef {{symbol: string, bars: readonly Bar[], factor: number}} Compared `factor`: from its prices
 *   to those of the chart's symbol; NaN where it has none in view
 */

export class ComparedLines {
  table;
  /** @type {Compared[]} by slot */
  shown = [];
  /** @type {import("../panel.d.ts").Model[]} by slot */
  #renderers = [];
  /** @type {import("../panel.d.ts").Range[]} likewise */
  #ranges = [];

  /** @param {import("../panel.d.ts").ColumnDataSource} source @param {number} room how many there can be */
  constructor(source, room) {
    this.table = new BarTable(source);
    this.room = room;
  }

  /** Draw by these from now on. @param {import("../panel.d.ts").Model[]} renderers @param {import("../panel.d.ts").Range[]} ranges */
  equip(renderers, ranges) {
    this.#renderers = renderers;
    this.#ranges = ranges;
    this.#reveal();
  }

  /** Draw these from the table's next `draw` on. @param {string[]} symbols */
  show(symbols) {
    this.shown = symbols.slice(0, this.room).map((symbol) => ({symbol, bars: [], factor: NaN}));
    this.table.columns = Object.fromEntries(this.shown.map((one, slot) =>
      [`close${slot}`, (/** @type {Bar} */ bar) => closeAt(one.bars, bar.start_ms)]));
    this.#reveal();
  }

  #reveal() {
    this.#renderers.forEach((renderer, i) => renderer.setv({visible: i < this.shown.length}, HERE));
  }

  /** @param {number} slot @param {readonly Bar[]} bars */
  take(slot, bars) {
    this.shown[slot].bars = bars;
  }

  /** @param {string[]} series colours @param {(slot: number) => number} colourOf */
  paint(series, colourOf) {
    this.#renderers.forEach((renderer, slot) =>
      glyphOf(renderer).setv({line_color: series[colourOf(slot)]}, HERE));
  }

  /** Lowest and highest, as prices of the chart's symbol. @param {readonly Bar[]} view @returns {[number, number]} */
  extent(view) {
    let [low, high] = [Infinity, -Infinity];
    for (const one of this.shown) {
      const closes = view.map(({start_ms}) => closeAt(one.bars, start_ms));
      const base = bases(view, closes);
      one.factor = base ? base.main / base.other : NaN;
      for (const close of closes) {
        const price = close * one.factor;
        if (price < low) low = price;
        if (price > high) high = price;
      }
    }
    return [low, high];
  }

  /** Call after `extent`. @param {import("../panel.d.ts").Range} main the range of the prices */
  rebase({start, end}) {
    this.shown.forEach(({factor}, slot) => {
      if (factor > 0) this.#ranges[slot]?.setv({start: start / factor, end: end / factor}, HERE);
    });
  }

  /** By how much it stands above the first bar in view. @param {number} slot @param {Bar} bar @param {Bar} first */
  ratio(slot, bar, first) {
    const {bars, factor} = this.shown[slot];
    return (closeAt(bars, bar.start_ms) * factor) / first.close - 1;
  }
}
