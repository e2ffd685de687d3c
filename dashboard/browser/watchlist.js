/** The watchlist: every symbol with its live price, and the choice of the one to look at. */

import {h, setText} from "quotewire/dom.js";
import {formatAge, formatCount} from "quotewire/format.js";
import {isStale} from "quotewire/health.js";
import {mount} from "quotewire/live.js";
import {page} from "quotewire/page.js";
import {QuoteRow} from "quotewire/quote_row.js";

const AGE_MS = 1000;
/** More at once help nobody and cost the page; the others are found by their names. */
const MOST_ROWS = 200;
/** A list that is longer than this can be searched. */
const SHORT = 20;
const COLUMNS = [["Symbol", ""], ["Session", "trend"], ["Last", "number"], ["Change", "number"],
  ["Volume", "number volume"]];

export function render(context) {
  return mount(context, (connection, until) => new Watchlist(connection, until).element);
}

class Watchlist {
  #connection;
  /** @type {Map<string, QuoteRow>} */
  #rows = new Map();
  #body = h("tbody");
  #label = h("span", {class: "chip", "data-testid": "watchlist-label"});
  #find = h("input", {
    type: "search", placeholder: "Find", "aria-label": "Find a symbol", hidden: true,
    "data-testid": "watchlist-find", oninput: () => this.#fill(this.#connection.symbols),
  });
  #note = h("span", {class: "note", "data-testid": "watchlist-note"});
  #more = h("p", {class: "empty", hidden: true, "data-testid": "watchlist-more"});
  #empty = h("p", {class: "empty", "data-testid": "watchlist-empty"});
  #stopQuotes = () => {};

  constructor(connection, until) {
    this.#connection = connection;
    const head = h("tr", {}, ...COLUMNS.map(([name, kind]) => h("th", {class: kind}, name)));
    this.#body.addEventListener("keydown", (event) => this.#moveBy(event));
    this.element = h("section", {class: "card", "data-testid": "watchlist"},
      h("header", {}, h("h2", {}, "Watchlist"), this.#label, this.#note, this.#find),
      h("div", {class: "scroll"},
        h("table", {role: "grid", "aria-label": "Watchlist"}, h("thead", {}, head), this.#body),
        this.#more, this.#empty));
    const aging = setInterval(() => this.#showHealth(), AGE_MS);
    until(() => clearInterval(aging));
    until(() => this.#stopQuotes());
    until(connection.onSymbols((symbols) => this.#fill(symbols)));
    until(connection.onState(() => this.#showHealth()));
    until(connection.onStatus(() => this.#showHealth()));
    until(page.onSymbol((symbol) => this.#mark(symbol)));
  }

  #fill(symbols) {
    const {host} = new URL(this.#connection.feedUrl);
    const infos = [...(symbols?.values() ?? [])];
    const found = infos.filter((info) => matches(info, this.#find.value));
    this.#find.hidden = infos.length <= SHORT;
    this.#empty.textContent = symbols === null
      ? `Waiting for the feed at ${host} …` : `No symbol is like “${this.#find.value}”.`;
    this.#empty.hidden = found.length > 0;
    this.#more.textContent =
      `The first ${MOST_ROWS} of ${formatCount(found.length)}. Find the others by their names.`;
    this.#more.hidden = found.length <= MOST_ROWS;
    const first = this.#rows.size === 0;
    this.#show(found.slice(0, MOST_ROWS));
    if (first) this.#rows.get(page.symbol)?.element.scrollIntoView({block: "nearest"});
    if (page.symbol === null && infos.length) page.select(infos[0].symbol);
    this.#mark(page.symbol);
    this.#showHealth();
  }

  /** Rows that stay keep what they have drawn. */
  #show(infos) {
    const names = infos.map(({symbol}) => symbol);
    const same = names.join() === [...this.#rows.keys()].join();
    if (!same) {
      this.#rows = new Map(infos.map((info) =>
        [info.symbol, this.#rows.get(info.symbol) ?? this.#row(info)]));
      this.#body.replaceChildren(...[...this.#rows.values()].map((row) => row.element));
    }
    const labels = new Set(infos.map(({label}) => label));
    setText(this.#label, labels.size === 1 ? infos[0].label : "");
    for (const info of infos) this.#rows.get(info.symbol).describe(info, labels.size > 1);
    if (same) return;
    const stop = this.#stopQuotes;
    this.#stopQuotes = this.#connection.subscribeQuotes(names, (quotes) => this.#update(quotes));
    stop(); // after it, so that what stays is asked for all the time
  }

  #row(info) {
    const row = new QuoteRow(info);
    row.element.addEventListener("click", () => page.select(info.symbol));
    return row;
  }

  #update(quotes) {
    const now_ms = performance.now();
    for (const quote of quotes) this.#rows.get(quote.symbol)?.show(quote, now_ms);
  }

  #mark(selected) {
    const focusable = this.#rows.has(selected) ? selected : this.#rows.keys().next().value;
    for (const [symbol, row] of this.#rows) row.mark(symbol === selected, symbol === focusable);
  }

  #moveBy(event) {
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (!step) return;
    event.preventDefault();
    const names = [...this.#rows.keys()];
    const at = names.indexOf(page.symbol) + step;
    const name = names[Math.max(0, Math.min(names.length - 1, at))];
    page.select(name);
    this.#rows.get(name)?.element.focus();
  }

  /** Old prices stay, dimmed, with their age; those of sources that work are as they were. */
  #showHealth() {
    const names = [...this.#rows.keys()];
    const stale = names.filter((name) => isStale(this.#connection.health([name])));
    const all = stale.length > 0 && stale.length === names.length;
    const dimmed = new Set(all ? [] : stale);
    for (const [name, row] of this.#rows) row.markStale(dimmed.has(name));
    this.element.toggleAttribute("data-stale", all);
    const age_ms = all ? this.#connection.ageOf(names) : null;
    if (age_ms !== null) setText(this.#note, `${formatAge(age_ms)} old`);
    else setText(this.#note, dimmed.size ? `${dimmed.size} of ${names.length} are old` : "");
  }
}

/** By the beginning of the symbol, or any part of the name. */
function matches({symbol, name}, text) {
  const wanted = text.trim().toUpperCase();
  return symbol.toUpperCase().startsWith(wanted) || name.toUpperCase().includes(wanted);
}
