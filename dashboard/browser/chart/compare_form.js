/** Which other symbols stand beside the chart's: found by typing. */

import {comparable} from "quotewire/chart/comparable.js";
import {h, setText} from "quotewire/dom.js";
import {isSymbol} from "quotewire/format.js";
import {openBelow} from "quotewire/popover.js";
import {suggestions} from "quotewire/symbol_match.js";

const MOST = 40;

/**
 * @typedef {object} Compared
 * @property {() => Iterable<import("../protocol.js").SymbolInfo>} known all that the feed has
 * @property {() => string} own the chart's symbol
 * @property {() => string[]} chosen
 * @property {(symbols: string[]) => void} choose
 * @property {number} room for how many there is
 */

export class CompareForm {
  #compared;
  #input = /** @type {HTMLInputElement} */ (h("input", {
    type: "search", placeholder: "Symbol or name", "aria-label": "Find a symbol to compare with",
    autocomplete: "off", spellcheck: "false", "data-testid": "compare-find",
    oninput: () => this.#list(), onkeydown: (event) => this.#key(event),
  }));
  #own = h("ul", {class: "own", "aria-label": "Beside this chart"});
  #found = h("ul", {class: "found", "aria-label": "Symbols"});
  #note = h("p", {class: "note", role: "status"});
  element = h("div", {
    popover: "auto", role: "dialog", "aria-label": "Compare", class: "popover form",
    "data-testid": "compare-form",
  }, h("h3", {}, "Compare in percent"), this.#own, this.#input, this.#found, this.#note);

  /** @param {Compared} compared */
  constructor(compared) {
    this.#compared = compared;
  }

  /** @param {HTMLElement} button it was opened by */
  open(button) {
    this.#input.value = "";
    this.#list();
    openBelow(this.element, button);
    this.#input.focus();
  }

  #list() {
    const {known, own, chosen, room} = this.#compared;
    const others = [...known()].filter(({symbol}) => symbol !== own());
    const found = suggestions(others, this.#input.value, MOST);
    const had = new Set(others.map(({symbol}) => symbol));
    const taken = new Set(comparable(chosen(), {own: own(), has: (symbol) => had.has(symbol), room}));
    const full = taken.size >= room;
    this.#own.replaceChildren(...chosen().map((symbol) => this.#chosen(symbol, taken.has(symbol))));
    this.#found.replaceChildren(...found.map(({symbol, name}) => h("li", {},
      h("button", {
        type: "button", "aria-pressed": String(taken.has(symbol)), "data-testid": `compare-${symbol}`,
        disabled: full && !taken.has(symbol), onclick: () => this.#toggle(symbol),
      }, h("b", {}, symbol), h("span", {}, isSymbol(name, symbol) ? "" : name)))));
    setText(this.#note, full ? `There is room for ${room}.`
      : found.length ? "" : "This feed has no other symbol like that.");
  }

  /** Also what cannot be shown here is there to be removed. @param {string} symbol @param {boolean} shown */
  #chosen(symbol, shown) {
    return h("li", {},
      h("span", {class: "name", title: shown ? "" : "Not shown beside this chart"}, shown ? symbol : `${symbol} (not shown)`),
      h("button", {
        type: "button", class: "remove", "aria-label": `Remove ${symbol}`, title: "Remove",
        "data-testid": `compare-remove-${symbol}`, onclick: () => this.#toggle(symbol),
      }, "×"));
  }

  /** @param {string} symbol */
  #toggle(symbol) {
    const {chosen, choose} = this.#compared;
    const taken = chosen();
    choose(taken.includes(symbol) ? taken.filter((other) => other !== symbol) : [...taken, symbol]);
    this.#list();
    this.#input.focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    /** @type {HTMLButtonElement | null} */ (this.#found.querySelector("button:not([disabled])"))?.click();
  }
}
