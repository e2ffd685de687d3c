/** Indicators' values in the figures: by lines, dots and columns that there are for them. */

import {BarTable} from "quotewire/chart/bar_table.js";
import {glyphOf} from "quotewire/chart/looks.js";

/** @type {import("../panel.d.ts").Here} */
const HERE = {sync: false};

/**
 * @typedef {import("../core/bars.js").Bar} Bar
 * @typedef {import("../panel.d.ts").Model} Model
 * @typedef {import("./indicator_plan.js").Line} Line
 * @typedef {Record<Line["style"], Model[]>} Slots renderers by style
 */

/** @param {Bar} bar @param {Line} line @returns {number} NaN where it has none */
export function valueOf(bar, {key, output}) {
  return bar.indicators[key]?.[output] ?? NaN;
}

/** What is drawn into one figure. */
export class IndicatorLines {
  /** @type {Line[]} */
  lines = [];
  table;
  #slots;

  /** @param {import("../panel.d.ts").ColumnDataSource} source @param {Slots} [slots] */
  constructor(source, slots = {line: [], dots: [], columns: []}) {
    this.table = new BarTable(source);
    this.#slots = slots;
  }

  /** Draw by these from now on. @param {Slots} slots */
  equip(slots) {
    this.#slots = slots;
    this.#reveal();
  }

  /** Draw these from the table's next `draw` on. @param {Line[]} lines */
  show(lines) {
    this.lines = lines;
    this.table.columns = Object.fromEntries(lines.map((line) =>
      [`${line.style}${line.slot}`, (/** @type {Bar} */ bar) => valueOf(bar, line)]));
    this.#reveal();
  }

  #reveal() {
    for (const [style, renderers] of Object.entries(this.#slots)) {
      const used = new Set(this.lines.filter((line) => line.style === style).map(({slot}) => slot));
      renderers.forEach((renderer, slot) => renderer.setv({visible: used.has(slot)}, HERE));
    }
  }

  /** @param {string[]} series colours */
  paint(series) {
    for (const {style, slot, colour} of this.lines) {
      const renderer = this.#slots[style][slot];
      const name = style === "line" ? "line_color" : "fill_color";
      if (renderer) glyphOf(renderer).setv({[name]: series[colour]}, HERE);
    }
  }

  /** Lowest and highest value. @param {readonly Bar[]} bars @returns {[number, number]} */
  extent(bars) {
    let [low, high] = [Infinity, -Infinity];
    for (const line of this.lines) {
      if (line.style === "columns") [low, high] = [Math.min(low, 0), Math.max(high, 0)];
      for (const bar of bars) {
        const value = valueOf(bar, line);
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
    return [low, high];
  }
}

