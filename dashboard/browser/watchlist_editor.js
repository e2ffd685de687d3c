/**
 * Changes to the list that is shown: symbols are added by typing, removed, and put in another order
 * by dragging or by keys. The list of all that the feed has stays so: what is changed there is kept
 * as a new list.
 */

import {address} from "quotewire/address.js";
import {h, setText} from "quotewire/dom.js";
import {listSelect} from "quotewire/market/list_select.js";
import {settings} from "quotewire/settings.js";
import {joined, suggestions} from "quotewire/symbol_match.js";
import {toast} from "quotewire/toasts.js";
import {changed, moved, placed, withNew, withTyped} from "quotewire/watchlist_edits.js";

/** @typedef {import("./market/lists.js").Shown} Shown */
/** @typedef {import("./protocol.js").SymbolInfo} SymbolInfo */

const OFFERED = 12;
/** After the last key, before the feed's sources are asked. */
const WAIT_MS = 250;
const STEPS = new Map([["ArrowDown", 1], ["ArrowUp", -1]]);

export class WatchlistEditor {
  /** @type {Shown} */
  shown = {name: "", at: 0, isAll: true, symbols: [], infos: null};
  #connection;
  #takeOrder;
  #dragged = "";
  /** @type {number | undefined} */
  #timer;
  #said = h("span", {role: "status", class: "unseen"});
  #offers = h("datalist", {id: "offers"});
  #input = /** @type {HTMLInputElement} */ (h("input", {
    type: "text", list: "offers", placeholder: "Symbol, such as AAPL", "aria-label": "Add symbols",
    autocomplete: "off", spellcheck: "false", maxlength: "200", "data-testid": "list-add",
    oninput: () => this.#typed(),
    onkeydown: (/** @type {KeyboardEvent} */ event) => this.#pressedInField(event),
  }));
  #button = h("button", {
    type: "button", class: "plain", "aria-expanded": "false", "data-testid": "list-add-button",
    onclick: () => this.#open(this.line.hasAttribute("hidden")),
  }, "+ Add");
  /** Where one types; under the head. */
  line = h("div", {class: "adding", hidden: true}, this.#input, this.#offers,
    h("button", {type: "button", class: "plain", "data-testid": "list-add-go", onclick: () => this.#add()}, "Add"));

  /**
   * @param {import("./connection.js").Connection} connection
   * @param {() => string[] | null} takeOrder ends a sorting that is on: the rows as they stood; null: none was
   * @param {(end: () => void) => void} until
   */
  constructor(connection, takeOrder, until) {
    this.#connection = connection;
    this.#takeOrder = takeOrder;
    this.tools = [listSelect(connection, until), this.#button, this.#said];
    until(() => clearTimeout(this.#timer));
  }

  /** Let a row be removed and dragged. @param {HTMLElement} row @param {string} symbol */
  equip(row, symbol) {
    row.draggable = true;
    row.title = "Drag, or Alt with the arrows, to move; Delete to remove";
    row.lastElementChild?.append(h("button", {
      type: "button", class: "remove", tabindex: "-1", "aria-label": `Remove ${symbol}`, title: `Remove ${symbol}`,
      "data-testid": `unlist-${symbol}`,
      onclick: (/** @type {Event} */ event) => {
        event.stopPropagation();
        this.#remove(symbol);
      },
    }, "×"));
    row.addEventListener("dragstart", (event) => {
      this.#dragged = symbol;
      event.dataTransfer?.setData("text/plain", symbol);
    });
    row.addEventListener("dragend", () => (this.#dragged = ""));
    row.addEventListener("dragleave", () => delete row.dataset.drop);
    row.addEventListener("dragover", (event) => this.#over(event, row));
    row.addEventListener("drop", (event) => this.#drop(event, row, symbol));
  }

  /** @param {KeyboardEvent} event on a row @param {string} symbol @returns {boolean} whether it was for the list */
  press(event, symbol) {
    const step = STEPS.get(event.key);
    if (!this.shown.symbols.includes(symbol) || (event.key !== "Delete" && !(event.altKey && step))) return false;
    event.preventDefault();
    if (event.key === "Delete") this.#remove(symbol);
    else if (this.#move(symbol, step ?? 0)) {
      setText(this.#said, `${symbol} is now number ${this.shown.symbols.indexOf(symbol) + 1}`);
    }
    return true;
  }

  /** @param {string} symbol @param {number} step */
  #move(symbol, step) {
    const order = this.#standing();
    return this.#keep(moved(order, order.indexOf(symbol), step));
  }

  /** The list's symbols as they stand on the screen; those that the feed does not know last. */
  #standing() {
    const order = this.#takeOrder() ?? [];
    return [...order, ...this.shown.symbols.filter((symbol) => !order.includes(symbol))];
  }

  /** @param {DragEvent} event @param {HTMLElement} row */
  #over(event, row) {
    if (!this.#dragged) return;
    event.preventDefault();
    row.dataset.drop = isBelow(event, row) ? "after" : "before";
  }

  /** @param {DragEvent} event @param {HTMLElement} row @param {string} symbol */
  #drop(event, row, symbol) {
    delete row.dataset.drop;
    if (!this.#dragged) return;
    event.preventDefault();
    this.#keep(placed(this.#standing(), this.#dragged, symbol, isBelow(event, row)));
  }

  /** @param {string} symbol */
  #remove(symbol) {
    const {name, symbols} = this.shown;
    const rest = symbols.filter((other) => other !== symbol);
    if (!this.#keep(rest)) return;
    setText(this.#said, `${symbol} is removed`);
    if (!rest.length) toast(`“${name}” is empty: it shows all that the feed has.`);
  }

  /** @param {boolean} isOpen */
  #open(isOpen) {
    this.line.hidden = !isOpen;
    this.#button.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) this.#input.focus();
    else this.#button.focus();
  }

  /** @param {KeyboardEvent} event */
  #pressedInField(event) {
    if (event.key === "Enter") this.#add();
    if (event.key === "Escape") this.#open(false);
  }

  #typed() {
    clearTimeout(this.#timer);
    const text = this.#input.value.trim();
    const known = suggestions(this.#connection.symbols?.values() ?? [], text, OFFERED);
    this.#offer(known);
    if (text) this.#timer = setTimeout(() => this.#search(text, known), WAIT_MS);
  }

  /** @param {string} text @param {SymbolInfo[]} known */
  async #search(text, known) {
    try {
      const {symbols} = await this.#connection.ask("search", {q: text});
      if (this.#input.value.trim() === text) this.#offer(joined(known, symbols, OFFERED));
    } catch (error) {
      console.debug(`quotewire: no search: ${error}`); // what the feed has is offered
    }
  }

  /** @param {SymbolInfo[]} infos */
  #offer(infos) {
    this.#offers.replaceChildren(...infos.map(({symbol, name}) => h("option", {value: symbol}, name)));
  }

  #add() {
    const known = this.#connection.symbols?.keys() ?? [];
    const {symbols, strange} = withTyped(this.shown.symbols, this.#input.value, known);
    if (strange.length) toast(`No symbol is written so: ${strange.join(", ")}`, {tone: "warn"});
    const added = symbols.slice(this.shown.symbols.length);
    if (!added.length) {
      if (!strange.length && this.#input.value.trim()) toast("That is in the list already.");
    } else if (this.#keep(symbols)) {
      setText(this.#said, `${added.join(", ")} added`);
      address.set({symbol: added[0]});
    }
    if (!strange.length) this.#input.value = "";
  }

  /** @param {string[]} symbols @returns {boolean} whether they are kept */
  #keep(symbols) {
    const {isAll, at} = this.shown;
    const before = settings.values.watchlists;
    const lists = isAll ? withNew(before) : before;
    const to = isAll ? lists.length - 1 : at;
    const refused = settings.choose({watchlists: changed(lists, to, {symbols})});
    if (refused.length) {
      toast("That cannot be kept: there are too many lists, or symbols in this one.", {tone: "warn"});
      return false;
    }
    if (isAll) {
      address.set({watchlist: lists[to].name});
      toast(`This is now a list of its own, “${lists[to].name}”. Name it in the settings.`);
    }
    return true;
  }
}

/** @param {DragEvent} event @param {HTMLElement} row */
function isBelow({clientY}, row) {
  const {top, height} = row.getBoundingClientRect();
  return clientY > top + height / 2;
}
