/** The head of the market table: a click or Enter on a column sorts by it, arrows go along. */

import {address} from "quotewire/address.js";
import {h, setText} from "quotewire/dom.js";
import {nextSort} from "quotewire/market/order.js";

/** @typedef {import("./columns.js").Column} Column */

const STEPS = new Map([["ArrowRight", 1], ["ArrowLeft", -1]]);

export class TableHead {
  /** @type {{column: Column, cell: HTMLElement, button: HTMLElement, mark: HTMLElement}[]} */
  #heads = [];
  #row = h("div", {role: "row", class: "row", "aria-rowindex": "1"});
  element = h("div", {
    role: "rowgroup", class: "head", onkeydown: (/** @type {KeyboardEvent} */ event) => this.#pressed(event),
  }, this.#row);

  /** @param {readonly Column[]} columns */
  show(columns) {
    this.#heads = columns.map((column) => {
      const mark = h("i", {"aria-hidden": "true"});
      const button = h("button", {
        type: "button", tabindex: "-1", "data-testid": `sort-${column.name}`,
        onclick: () => address.set({sort: nextSort(address.get("sort"), column.name)}),
      }, column.title, mark);
      const cell = h("div", {role: "columnheader", class: column.kind === "symbol" ? "symbol" : `${column.kind} number`}, button);
      return {column, cell, button, mark};
    });
    this.#row.replaceChildren(...this.#heads.map(({cell}) => cell));
    if (this.#heads.length) this.#heads[0].button.tabIndex = 0;
    this.mark(address.get("sort"));
  }

  /** @param {string} sort */
  mark(sort) {
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
