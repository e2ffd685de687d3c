/** The named watchlists: their order, names and symbols. One of them is open at a time. */

import {h, setText} from "quotewire/dom.js";
import "quotewire/market/lists.js"; // the list that is shown stays so under another name
import {settings} from "quotewire/settings.js";
import {SCHEMA} from "quotewire/settings_schema.js";
import {twice} from "quotewire/settings_drawer/fields.js";
import {suggestions} from "quotewire/symbol_match.js";
import {changed, moved, nameProblem, withNew, without, withTyped} from "quotewire/watchlist_edits.js";

/** @typedef {import("../watchlist_edits.js").NamedList} NamedList */

const OFFERED = 12;
const MOST_LISTS = SCHEMA.watchlists.maxItems ?? Infinity;

export class Watchlists {
  #connection;
  #open = -1;
  #shown = "";
  #list = h("ol", {class: "lists", "data-testid": "watchlists"});
  #add = h("button", {
    type: "button", class: "plain", "data-testid": "watchlist-new", onclick: () => this.#addList(),
  }, "+ New list");
  #note = h("p", {class: "note", role: "status", "data-testid": "watchlists-note"});
  element = h("section", {}, h("h3", {}, "Watchlists"), this.#list, this.#add, this.#note);

  /** @param {import("../connection.js").Connection} connection */
  constructor(connection) {
    this.#connection = connection;
  }

  /** What is set now; where that is shown already, nothing loses the focus. */
  show() {
    const told = JSON.stringify([this.#open, settings.values.watchlists]);
    if (told === this.#shown) return;
    this.#shown = told;
    const rows = this.#lists.map((list, at) => this.#row(list, at));
    this.#list.replaceChildren(...rows);
    this.#add.hidden = rows.length >= MOST_LISTS;
  }

  /** Of the lists that are there. */
  get #lists() {
    return settings.values.watchlists;
  }

  /**
   * @param {NamedList[]} lists
   * @param {string} [focus] selector of what has the focus then: what had it may be gone
   */
  #choose(lists, focus) {
    const refused = settings.choose({watchlists: lists}).length > 0;
    setText(this.#note, refused ? "That cannot be kept: the lists would be too long." : "");
    this.show();
    const aim = focus && this.#list.querySelector(focus);
    if (aim instanceof HTMLElement) aim.focus();
  }

  #addList() {
    this.#open = this.#lists.length;
    this.#choose(withNew(this.#lists), "input");
    this.#list.querySelector("input")?.select();
  }

  /** @param {number} at */
  #toggle(at) {
    this.#open = this.#open === at ? -1 : at;
    this.show();
    this.#focus(at, ".open");
  }

  /** @param {NamedList} list @param {number} at */
  #row({name, symbols}, at) {
    const isOpen = at === this.#open;
    const count = symbols.length ? String(symbols.length) : "all of the feed";
    return h("li", {"data-testid": `watchlist-${at}`},
      h("div", {class: "list"},
        h("button", {
          type: "button", class: "open", "aria-expanded": String(isOpen), "data-testid": "watchlist-open",
          onclick: () => this.#toggle(at),
        }, h("span", {class: "name"}, name), h("small", {}, at === 0 ? `${count} · usual` : count)),
        ...this.#movers(name, this.#lists, at, (lists, to) => {
          if (this.#open === at) this.#open = to;
          else if (this.#open === to) this.#open = at;
          this.#choose(lists, `[data-testid="watchlist-${to}"] .mover`);
        })),
      ...(isOpen ? [this.#body({name, symbols}, at)] : []));
  }

  /** @param {NamedList} list @param {number} at */
  #body({name, symbols}, at) {
    const called = /** @type {HTMLInputElement} */ (h("input", {
      type: "text", value: name, maxlength: "40", "aria-label": "Name of the list", autocomplete: "off",
      "data-testid": "watchlist-name", onchange: () => this.#rename(at, called),
    }));
    const remove = twice("Remove list", "Really remove?", {
      class: "plain", "data-testid": "watchlist-remove", disabled: this.#lists.length < 2,
    }, () => {
      this.#open = -1;
      this.#choose(without(this.#lists, at), ".open");
    });
    const none = h("li", {class: "none"}, "Empty: it shows all that the feed has.");
    const rows = symbols.map((symbol, index) => this.#symbolRow(at, symbols, symbol, index));
    return h("div", {class: "body"},
      h("div", {class: "line"}, called, remove),
      h("ol", {class: "symbols"}, ...(rows.length ? rows : [none])), this.#adder(at, symbols));
  }

  /** @param {number} at @param {string[]} symbols @param {string} symbol @param {number} index */
  #symbolRow(at, symbols, symbol, index) {
    const set = (/** @type {string[]} */ others, /** @type {string} */ focus) =>
      this.#choose(changed(this.#lists, at, {symbols: others}), focus);
    return h("li", {"data-symbol": symbol}, h("span", {class: "name"}, symbol),
      ...this.#movers(symbol, symbols, index, (others) => set(others, `[data-symbol="${CSS.escape(symbol)}"] .mover`)),
      h("button", {
        type: "button", class: "small", "aria-label": `Remove ${symbol}`, "data-testid": `remove-${symbol}`,
        onclick: () => set(without(symbols, index), "[data-testid=watchlist-add]"),
      }, "×"));
  }

  /**
   * @template T
   * @param {string} name
   * @param {readonly T[]} list
   * @param {number} at
   * @param {(list: T[], to: number) => void} choose
   */
  #movers(name, list, at, choose) {
    return [[-1, "up", "↑"], [1, "down", "↓"]].map(([step, words, mark]) => h("button", {
      type: "button", class: "small mover", "aria-label": `Move ${name} ${words}`,
      "data-testid": `move-${words}`, disabled: !list[at + Number(step)],
      onclick: () => choose(moved(list, at, Number(step)), at + Number(step)),
    }, String(mark)));
  }

  /** @param {number} at @param {string[]} symbols */
  #adder(at, symbols) {
    const offers = h("datalist", {id: "offers"});
    const input = /** @type {HTMLInputElement} */ (h("input", {
      type: "text", list: "offers", placeholder: "Add symbols, as AAPL, MSFT", "aria-label": "Add symbols",
      autocomplete: "off", spellcheck: "false", "data-testid": "watchlist-add",
      oninput: () => offers.replaceChildren(...this.#offered(input.value)),
      onkeydown: (/** @type {KeyboardEvent} */ {key}) => key === "Enter" && add(),
    }));
    const add = () => this.#addTyped(at, symbols, input.value);
    return h("div", {class: "line"}, input, offers,
      h("button", {type: "button", class: "plain", "data-testid": "watchlist-add-go", onclick: add}, "Add"));
  }

  /** @param {string} text */
  #offered(text) {
    const found = suggestions(this.#connection.symbols?.values() ?? [], text, OFFERED);
    return found.map(({symbol, name}) => h("option", {value: symbol}, name));
  }

  /** @param {number} at @param {string[]} before @param {string} text */
  #addTyped(at, before, text) {
    if (!text.trim()) return;
    const known = this.#connection.symbols?.keys() ?? [];
    const {symbols, strange} = withTyped(before, text, known);
    this.#choose(changed(this.#lists, at, {symbols}), "[data-testid=watchlist-add]");
    if (strange.length) setText(this.#note, `No symbol is written so: ${strange.join(", ")}`);
  }

  /** @param {number} at @param {HTMLInputElement} input */
  #rename(at, input) {
    const name = input.value.trim();
    const problem = nameProblem(this.#lists, at, name);
    input.setAttribute("aria-invalid", String(problem !== ""));
    if (problem) setText(this.#note, problem);
    else this.#choose(changed(this.#lists, at, {name}), "[data-testid=watchlist-add]");
  }

  /** @param {number} at @param {string} selector */
  #focus(at, selector) {
    const aim = this.#list.children[at]?.querySelector(selector);
    if (aim instanceof HTMLElement) aim.focus();
  }
}
