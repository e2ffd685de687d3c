/** The watchlist: every symbol with its live price, and the choice of the one to look at. */

import {explainAbsence, explainUnknown} from "quotewire/absence.js";
import {h, setText} from "quotewire/dom.js";
import {formatCount} from "quotewire/format.js";
import {mount} from "quotewire/live.js";
import {address} from "quotewire/address.js";
import {isInView} from "quotewire/in_view.js";
import {followList} from "quotewire/market/lists.js";
import {Calm, sorted} from "quotewire/market/order.js";
import {TableHead} from "quotewire/market/table_head.js";
import {QuoteRow} from "quotewire/quote_row.js";
import {followRoom} from "quotewire/room.js";
import {PATH_WORDS, pathsOf} from "quotewire/session_paths.js";
import {seedsOf} from "quotewire/session_seeds.js";
import {isLike} from "quotewire/symbol_match.js";
import {WatchlistEditor} from "quotewire/watchlist_editor.js";

/** @typedef {import("./protocol.js").SymbolInfo} SymbolInfo */

const STEPS = new Map([["ArrowDown", 1], ["ArrowUp", -1]]);
const AGE_MS = 1000;
/** More at once help nobody and cost the page; the others are found by their names. */
const MOST_ROWS = 200;
/** A list that is longer than this can be searched. */
const SHORT = 20;
const COLUMNS = [
  {name: "symbol", title: "Symbol", kind: "symbol"}, {name: "trend", ...PATH_WORDS, kind: "trend"},
  {name: "last", title: "Last", kind: "price"}, {name: "percent", title: "Change", kind: "change"},
  {name: "volume", title: "Volume", kind: "volume"},
];

/** @param {import("./panel.d.ts").ElementContext} context */
export function render(context) {
  return mount(context, (connection, until) =>
    new Watchlist(context.model, connection, until).element);
}

export class Watchlist {
  #connection;
  #paths;
  #model;
  /** @type {Map<string, QuoteRow>} in the order of the list */
  #rows = new Map();
  /** Of the rows, as they stand. @type {string[]} */
  #order = [];
  #sort;
  #calm = new Calm();
  #head;
  #body = h("tbody", {
    onpointerenter: () => this.#calm.pointer(true), onpointerleave: () => this.#calm.pointer(false),
    onkeydown: (/** @type {KeyboardEvent} */ event) => this.#pressed(event),
  });
  #label = h("span", {class: "chip", "data-testid": "watchlist-label"});
  #find = /** @type {HTMLInputElement} */ (h("input", {
    type: "search", placeholder: "Find", "aria-label": "Find a symbol", hidden: true,
    "data-testid": "watchlist-find", oninput: () => this.#fill(this.#connection.symbols),
  }));
  #note = h("span", {class: "note", "data-testid": "watchlist-note"});
  #more = h("p", {class: "empty", hidden: true, "data-testid": "watchlist-more"});
  #empty = h("p", {class: "empty", "data-testid": "watchlist-empty"});
  #stopQuotes = () => {};
  #asked = "";
  /** @type {WatchlistEditor | null} null where the list is not the user's */
  #editor = null;

  /**
   * @param {import("./panel.d.ts").ElementModel} model
   * @param {import("./connection.js").Connection} connection
   * @param {(end: () => void) => void} until
   */
  constructor(model, connection, until) {
    this.#model = model;
    this.#connection = connection;
    this.#paths = pathsOf(connection);
    this.#sort = model.named ? inAddress : inMemory(() => this.#sorted());
    this.#head = new TableHead(this.#sort, {group: "thead", row: "tr", cell: "th"});
    this.#head.show(COLUMNS);
    const editor = model.named ? new WatchlistEditor(connection, () => this.#taken(), until) : null;
    this.#editor = editor;
    const table = h("table", {role: "grid", "aria-label": "Watchlist"}, this.#head.element, this.#body);
    const place = h("div", {class: "scroll"}, table, this.#more, this.#empty);
    followRoom(place, table, until);
    this.element = h("section", {class: "card", "data-testid": "watchlist"},
      h("header", {}, h("h2", {class: editor ? "unseen" : ""}, "Watchlist"), ...(editor?.tools.slice(0, 1) ?? []),
        this.#label, this.#note, this.#find, ...(editor?.tools.slice(1) ?? [])),
      ...(editor ? [editor.line] : []), place);
    seedsOf(connection).follow({
      symbols: () => this.#order,
      isInView: (symbol) => isInView(this.#rows.get(symbol)?.line, place),
      redraw: (symbol) => this.#rows.get(symbol)?.trace(this.#paths.of(symbol)),
    }, until);
    const aging = setInterval(() => this.#tick(), AGE_MS);
    until(() => clearInterval(aging));
    until(() => this.#stopQuotes());
    if (!editor) until(connection.onSymbols((symbols) => this.#fill(symbols)));
    until(connection.onState(() => this.#showHealth()));
    until(connection.onStatus(() => this.#showHealth()));
    until(address.on("symbol", (symbol) => this.#mark(symbol)));
    if (editor) until(address.on("sort", () => this.#sorted()));
    if (editor) {
      followList(connection, (shown) => {
        editor.shown = shown;
        this.#fill(connection.symbols);
      }, until);
    }
    const listed = () => this.#fill(connection.symbols);
    model.on("symbols", listed);
    until(() => model.off("symbols", listed));
  }

  /**
   * All that the feed has, or those that this list is for, in its order.
   *
   * @param {Map<string, SymbolInfo> | null} symbols
   * @returns {SymbolInfo[]}
   */
  #listed(symbols) {
    const names = this.#names;
    if (!names.length) return [...(symbols?.values() ?? [])];
    return names.flatMap((name) => symbols?.get(name) ?? []);
  }

  /** Which ones this list is for; none: all. @returns {string[]} */
  get #names() {
    if (!this.#editor) return this.#model.symbols;
    return this.#editor.shown.isAll ? [] : this.#editor.shown.symbols;
  }

  /** @param {Map<string, SymbolInfo> | null} symbols null until the feed told them */
  #fill(symbols) {
    const infos = this.#listed(symbols);
    const found = infos.filter((info) => isLike(info, this.#find.value));
    this.#find.hidden = infos.length <= SHORT;
    this.#empty.hidden = found.length > 0;
    this.#head.element.hidden = found.length === 0;
    this.#more.textContent =
      `The first ${MOST_ROWS} of ${formatCount(found.length)}. Find the others by their names.`;
    this.#more.hidden = found.length <= MOST_ROWS;
    const first = this.#rows.size === 0;
    this.#show(found.slice(0, MOST_ROWS));
    const selected = address.get("symbol");
    if (first) this.#rows.get(selected ?? "")?.element.scrollIntoView({block: "nearest"});
    if (selected === null && infos.length) address.set({symbol: infos[0].symbol});
    this.#mark(address.get("symbol"));
    this.#showHealth();
  }

  /** Say in words why there is no row. */
  #explain() {
    const {symbols} = this.#connection;
    const text = this.#find.value.trim();
    const names = this.#names.join(", ");
    if (symbols === null) setText(this.#empty, explainAbsence(this.#connection));
    else if (text) setText(this.#empty, `No symbol is like “${text}”.`);
    else setText(this.#empty, `${explainUnknown(names)}${this.#editor ? " Add others, or choose another list." : ""}`);
  }

  /** Rows that stay keep what they have drawn. @param {SymbolInfo[]} infos */
  #show(infos) {
    const names = infos.map(({symbol}) => symbol);
    const same = names.join() === [...this.#rows.keys()].join();
    if (!same) {
      this.#rows = new Map(infos.map((info) =>
        [info.symbol, this.#rows.get(info.symbol) ?? this.#row(info)]));
    }
    const labels = new Set(infos.map(({label}) => label));
    setText(this.#label, labels.size === 1 ? infos[0].label : "");
    for (const info of infos) this.#rows.get(info.symbol)?.describe(info, labels.size > 1);
    this.#place();
    // The feed looks for what it does not know yet.
    const asked = this.#editor ? [...new Set([...names, ...this.#unknown])] : names;
    if (same && asked.join() === this.#asked) return;
    this.#asked = asked.join();
    const stop = this.#stopQuotes;
    this.#stopQuotes = this.#connection.subscribeQuotes(asked, (quotes) => this.#update(quotes));
    stop(); // after it, so that what stays is asked for all the time
  }

  /** By what is chosen, else as the list has them. */
  #place() {
    const rows = [...this.#rows.values()].map((row) => row.facts);
    const order = sorted(rows, this.#sort.get()).map(({info}) => info.symbol);
    this.#calm.moved(performance.now());
    if (order.join() === this.#order.join()) return;
    this.#order = order;
    const focused = /** @type {ShadowRoot} */ (this.#body.getRootNode()).activeElement;
    this.#body.replaceChildren(...order.flatMap((name) => this.#rows.get(name)?.element ?? []));
    if (focused instanceof HTMLElement && this.#body.contains(focused)) focused.focus({preventScroll: true});
  }

  #sorted() {
    this.#head.mark();
    this.#place();
    this.#mark(address.get("symbol"));
  }

  #tick() {
    if (this.#sort.get() && this.#calm.mayMove(performance.now())) this.#place();
    this.#showHealth();
  }

  /** The order that is seen becomes the list's own, for one who goes on from there. */
  #taken() {
    const order = this.#sort.get() ? this.#order : null;
    if (order) this.#sort.set("");
    return order;
  }

  /** @param {SymbolInfo} info */
  #row(info) {
    const row = new QuoteRow(info);
    row.element.addEventListener("click", () => address.set({symbol: info.symbol}));
    this.#editor?.equip(row.element, info.symbol);
    return row;
  }

  /** @param {import("./delivery.js").Quote[]} quotes */
  #update(quotes) {
    const now_ms = performance.now();
    for (const quote of quotes) this.#rows.get(quote.symbol)?.show(quote, this.#paths.add(quote), now_ms);
  }

  /** @param {string | null} selected */
  #mark(selected) {
    const listed = selected !== null && this.#rows.has(selected);
    const focusable = listed ? selected : this.#order[0];
    for (const [symbol, row] of this.#rows) row.mark(symbol === selected, symbol === focusable);
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const symbol = address.get("symbol") ?? "";
    const names = this.#order;
    if (!this.#editor?.press(event, symbol)) return this.#moveBy(event);
    const at = names.indexOf(symbol);
    const aim = [symbol, names[at + 1], names[at - 1]].find((name) => this.#rows.has(name)) ?? symbol;
    address.set({symbol: aim});
    this.#rows.get(aim)?.element.focus();
    return undefined;
  }

  /** @param {KeyboardEvent} event */
  #moveBy(event) {
    const step = STEPS.get(event.key);
    if (step === undefined) return;
    event.preventDefault();
    this.#calm.pressed(performance.now());
    const names = this.#order;
    const at = names.indexOf(address.get("symbol") ?? "") + step;
    const name = names[Math.max(0, Math.min(names.length - 1, at))];
    address.set({symbol: name});
    this.#rows.get(name)?.element.focus();
  }

  /** Old prices stay, dimmed, with their age; those of symbols that do well are as they were. */
  #showHealth() {
    let old = 0;
    for (const [name, row] of this.#rows) {
      const {state, age_ms} = this.#connection.freshness(name);
      const stale = state === "stale" && age_ms !== null;
      row.markAge(stale ? age_ms : null);
      if (stale) old += 1;
    }
    this.#explain();
    const unknown = this.#rows.size ? this.#unknown.join(", ") : "";
    setText(this.#note, unknown ? `Not in this feed: ${unknown}` : tellOld(old, this.#rows.size));
  }

  /** Those that this list is for and the feed does not have, as far as is known. */
  get #unknown() {
    const {symbols} = this.#connection;
    return symbols ? this.#names.filter((name) => !symbols.has(name)) : [];
  }
}

/** @type {import("./market/table_head.js").Sort} of all tables of the page */
const inAddress = {get: () => address.get("sort"), set: (sort) => address.set({sort})};

/** Of one table alone. @param {() => void} onChange @returns {import("./market/table_head.js").Sort} */
function inMemory(onChange) {
  let sort = "";
  return {
    get: () => sort,
    set: (other) => {
      sort = other;
      onChange();
    },
  };
}

/** @param {number} old how many rows @param {number} all */
function tellOld(old, all) {
  if (!old) return "";
  return old === all ? "All are old" : `${old} of ${all} are old`;
}
