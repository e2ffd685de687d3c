/**
 * The search for a symbol: at once among those that the feed has, and then among all that its
 * sources know. Enter opens the symbol's page.
 *
 * @typedef {import("./protocol.js").SymbolInfo} SymbolInfo
 */

import {explainAbsence} from "quotewire/absence.js";
import {address} from "quotewire/address.js";
import {h, setText} from "quotewire/dom.js";
import {isSymbol} from "quotewire/format.js";
import {keys} from "quotewire/keys.js";
import {joined, suggestions} from "quotewire/symbol_match.js";

const MOST = 8;
const LONGEST = 64;
/** After the last key, before the feed's sources are asked. */
const WAIT_MS = 250;
const GAP = 4;
const STEPS = new Map([["ArrowDown", 1], ["ArrowUp", -1]]);

export class SymbolSearch {
  #connection;
  #input = /** @type {HTMLInputElement} */ (h("input", {
    type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", enterkeyhint: "go",
    maxlength: String(LONGEST), placeholder: "Search symbols", "aria-label": "Search symbols",
    "aria-controls": "found", "aria-autocomplete": "list", "aria-expanded": "false",
    "aria-keyshortcuts": "/", "data-testid": "search",
    onfocus: () => this.#open(), oninput: () => this.#typed(), onblur: () => this.#close(),
    onkeydown: (/** @type {KeyboardEvent} */ event) => this.#pressed(event),
  }));
  #list = h("ul", {id: "found", role: "listbox", "aria-label": "Symbols"});
  #note = h("p", {role: "status", class: "note", "data-testid": "search-note"});
  #popover = h("div", {
    popover: "manual", class: "found", "data-testid": "search-found",
    onpointerdown: (/** @type {Event} */ event) => event.preventDefault(), // the field keeps the focus
  }, this.#list, this.#note);
  element = h("div", {class: "search", role: "search"},
    h("kbd", {"aria-hidden": "true"}, "/"), this.#input, this.#popover);
  /** @type {SymbolInfo[]} */
  #shown = [];
  /** @type {SymbolInfo[]} by the feed's sources */
  #found = [];
  #chosen = 0;
  /** under the list */
  #says = "";
  /** @type {number | undefined} */
  #timer;

  /** @param {import("./connection.js").Connection} connection @param {(end: () => void) => void} until */
  constructor(connection, until) {
    this.#connection = connection;
    until(keys.on("/", "Search symbols", () => this.#input.focus()));
    until(connection.onSymbols(() => this.#isOpen && this.#show()));
    until(() => clearTimeout(this.#timer));
  }

  get #isOpen() {
    return this.#popover.matches(":popover-open");
  }

  #open() {
    this.#input.select();
    this.#popover.showPopover();
    const {left, bottom, width} = this.element.getBoundingClientRect();
    Object.assign(this.#popover.style,
      {left: `${left}px`, top: `${bottom + GAP}px`, minWidth: `${width}px`});
    this.#input.setAttribute("aria-expanded", "true");
    this.#typed();
  }

  #close() {
    clearTimeout(this.#timer);
    if (this.#isOpen) this.#popover.hidePopover();
    this.#input.setAttribute("aria-expanded", "false");
    this.#input.removeAttribute("aria-activedescendant");
  }

  #typed() {
    clearTimeout(this.#timer);
    this.#found = [];
    this.#chosen = 0;
    const text = this.#input.value.trim();
    this.#says = text && "Searching …";
    if (text) this.#timer = setTimeout(() => this.#ask(text), WAIT_MS);
    this.#show();
  }

  /** @param {string} text */
  async #ask(text) {
    let note = "";
    /** @type {SymbolInfo[]} */
    let found = [];
    try {
      const answer = await this.#connection.ask("search", {q: text});
      [found, note] = [answer.symbols, answer.note ?? ""];
    } catch (error) {
      console.debug(`quotewire: no search: ${error}`);
      note = "The feed's sources cannot be searched now.";
    }
    if (this.#input.value.trim() !== text) return;
    this.#found = found;
    this.#says = note;
    this.#show();
  }

  #show() {
    const text = this.#input.value.trim();
    const {symbols} = this.#connection;
    const known = suggestions(symbols?.values() ?? [], text, MOST);
    this.#shown = joined(known, this.#found, MOST);
    this.#chosen = Math.max(0, Math.min(this.#chosen, this.#shown.length - 1));
    this.#list.replaceChildren(...this.#shown.map((info, index) => this.#option(info, index)));
    this.#list.hidden = !this.#shown.length;
    setText(this.#note, this.#explain(text));
    this.#note.hidden = !this.#note.textContent;
    this.#mark();
  }

  /** @param {string} text */
  #explain(text) {
    if (this.#connection.symbols === null) return explainAbsence(this.#connection);
    if (this.#says) return this.#says;
    return this.#shown.length ? "" : `No symbol is like “${text}”.`;
  }

  /** @param {SymbolInfo} info @param {number} index */
  #option({symbol, name, label}, index) {
    return h("li", {
      id: `found-${index}`, role: "option", "data-testid": `found-${symbol}`,
      onclick: () => this.#go(symbol),
    }, h("b", {}, symbol), h("span", {}, isSymbol(name, symbol) ? "" : name), h("small", {}, label));
  }

  #mark() {
    [...this.#list.children].forEach((option, index) =>
      option.setAttribute("aria-selected", String(index === this.#chosen)));
    const option = this.#list.children[this.#chosen];
    if (option) this.#input.setAttribute("aria-activedescendant", option.id);
    else this.#input.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({block: "nearest"});
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const step = STEPS.get(event.key);
    if (step !== undefined && this.#shown.length) {
      event.preventDefault();
      this.#chosen = (this.#chosen + step + this.#shown.length) % this.#shown.length;
      this.#mark();
    } else if (event.key === "Enter" && this.#shown.length) {
      this.#go(this.#shown[this.#chosen].symbol);
    } else if (event.key === "Escape") {
      this.#leave();
    }
  }

  /** @param {string} symbol */
  #go(symbol) {
    address.set({page: "symbol", symbol}, {push: true});
    this.#leave();
  }

  #leave() {
    this.#input.value = "";
    this.#input.blur();
  }
}
