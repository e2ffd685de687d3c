/** The head of a table: a click or Enter on a column sorts by it, arrows go along. */

import {h, setText} from "quotewire/dom.js";
import {nextSort} from "quotewire/market/order.js";

/**
 * @typedef {{name: string, title: string, kind: string, hint?: string}} Column
 * @typedef {{get: () => string, set: (sort: string) => void}} Sort where the table's order is kept
 * @typedef {{group: "div" | "thead", row: "div" | "tr", cell: "div" | "th"}} Tags
 */

/** @type {Tags} */
const GRID = {group: "div", row: "div", cell: "div"};
const STEPS = new Map([["ArrowRight", 1], ["ArrowLeft", -1]]);

export class TableHead {
  element;
  /** @type {{column: Column, cell: HTMLElement, button: HTMLElement, mark: HTMLElement}[]} */
  #heads = [];
  #sort;
  #tags;
  #row;

  /** @param {Sort} sort @param {Tags} [tags] */
  constructor(sort, tags = GRID) {
    this.#sort = sort;
    this.#tags = tags;
    this.#row = h(tags.row, {role: "row", class: "row", "aria-rowindex": "1"});
    this.element = h(tags.group, {
      role: "rowgroup", class: "head", onkeydown: (/** @type {KeyboardEvent} */ event) => this.#pressed(event),
    }, this.#row);
  }

  /** @param {readonly Column[]} columns */
  show(columns) {
    this.#heads = columns.map((column) => {
      const mark = h("i", {"aria-hidden": "true"});
      const button = h("button", {
        type: "button", tabindex: "-1", title: column.hint ?? "", "data-testid": `sort-${column.name}`,
        onclick: () => this.#sort.set(nextSort(this.#sort.get(), column.name)),
      }, column.title, mark);
      const cell = h(this.#tags.cell, {role: "columnheader", class: column.kind === "symbol" ? "symbol" : `${column.kind} number`}, button);
      return {column, cell, button, mark};
    });
    this.#row.replaceChildren(...this.#heads.map(({cell}) => cell));
    if (this.#heads.length) this.#heads[0].button.tabIndex = 0;
    this.mark();
  }

  /** Show what the table is sorted by. */
  mark() {
    const sort = this.#sort.get();
    for (const {column: {name}, cell, mark} of this.#heads) {
      const way = sort === name ? "ascending" : sort === `-${name}` ? "descending" : "none";
      cell.setAttribute("aria-sort", way);
      setText(mark, {ascending: "▴", descending: "▾", none: ""}[way]);
    }
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const step = STEPS.get(event.key);
    const at = this.#heads.findIndex(({button}) => button === event.target);
    if (step === undefined || at < 0) return;
    event.preventDefault();
    const to = Math.max(0, Math.min(this.#heads.length - 1, at + step));
    this.#heads.forEach(({button}, index) => (button.tabIndex = index === to ? 0 : -1));
    this.#heads[to].button.focus();
  }
}
