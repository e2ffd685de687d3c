/** One row of the market table: each cell is written only where it says something else. */

import {RangeBar} from "quotewire/day_range.js";
import {h, setText} from "quotewire/dom.js";
import {Flash} from "quotewire/flash.js";
import {changeOf, directionOf, isSymbol} from "quotewire/format.js";
import {Sparkline} from "quotewire/sparkline.js";

/** @typedef {import("./columns.js").Row} Row */
/** @typedef {import("./columns.js").Column} Column */

/** A line that is drawn more often is not seen better. */
const DRAW_MS = 500;

export class TableRow {
  #bar = new RangeBar();
  #spark = new Sparkline();
  #drawn_ms = -Infinity;
  /** @type {Flash | null} */
  #flash = null;
  /** @type {{column: Column, element: HTMLElement}[]} */
  #texts = [];

  /** @param {Row} row @param {readonly Column[]} columns */
  constructor({info: {symbol, name}}, columns) {
    const cells = columns.map((column) => this.#cell(column, symbol, name));
    this.element = h("div", {role: "row", class: "row", "data-symbol": symbol, "data-testid": `market-${symbol}`}, ...cells);
  }

  /** @param {Column} column @param {string} symbol @param {string} name @returns {HTMLElement} */
  #cell(column, symbol, name) {
    const {kind} = column;
    if (kind === "symbol") {
      return h("div", {role: "rowheader", class: "symbol", title: `${symbol} · ${name}`},
        h("b", {}, symbol), h("small", {}, isSymbol(name, symbol) ? "" : name));
    }
    if (kind === "range") return h("div", {role: "gridcell", class: kind}, this.#bar.element);
    if (kind === "trend") return h("div", {role: "gridcell", class: kind}, this.#spark.element);
    const element = h("span", {"data-testid": `market-${symbol}-${column.name}`});
    this.#texts.push({column, element});
    if (column.name === "last") this.#flash = new Flash(element);
    return h("div", {role: "gridcell", class: `number ${kind} ${column.name}`}, element);
  }

  /**
   * @param {Row} row
   * @param {import("../sparkline.js").Path} path through its session
   * @param {number} now_ms
   * @param {(column: Column, text: string) => void} see is told each text
   */
  show(row, path, now_ms, see) {
    for (const {column, element} of this.#texts) {
      const text = column.text(row);
      setText(element, text);
      see(column, text);
    }
    this.age(row);
    const {quote} = row;
    if (!quote) return;
    this.element.dataset.direction = directionOf(changeOf(quote).change);
    this.#bar.show(quote);
    this.#flash?.show(quote.last, now_ms);
    if (now_ms - this.#drawn_ms < DRAW_MS) return;
    this.#drawn_ms = now_ms;
    this.trace(path);
  }

  /** @param {import("../sparkline.js").Path} path */
  trace(path) {
    this.#spark.draw(path);
  }

  /** @param {Row} row */
  age(row) {
    const age = this.#texts.find(({column}) => column.kind === "age");
    if (age) setText(age.element, age.column.text(row));
    this.element.toggleAttribute("data-stale", row.isStale);
    this.element.toggleAttribute("data-empty", row.quote === null);
  }

  /** @param {number} index in the table, from 0 @param {number} top in pixels @param {string} id */
  place(index, top, id) {
    if (this.element.id !== id) this.element.id = id;
    const at = String(index + 2); // the head is the first
    if (this.element.getAttribute("aria-rowindex") === at) return;
    this.element.setAttribute("aria-rowindex", at);
    this.element.style.transform = `translateY(${top}px)`;
  }

  /** @param {boolean} isActive */
  mark(isActive) {
    if ((this.element.getAttribute("aria-selected") === "true") === isActive) return;
    this.element.setAttribute("aria-selected", String(isActive));
  }
}
