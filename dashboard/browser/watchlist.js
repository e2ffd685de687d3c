/** The watchlist: every symbol with its live price, and the choice of the one to look at. */

import {h} from "quotewire/dom.js";
import {formatAge} from "quotewire/format.js";
import {healthOf, isStale} from "quotewire/health.js";
import {mount} from "quotewire/live.js";
import {page} from "quotewire/page.js";
import {QuoteRow} from "quotewire/quote_row.js";

const AGE_MS = 1000;
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
  #note = h("span", {class: "note", "data-testid": "watchlist-note"});
  #empty = h("p", {class: "empty", "data-testid": "watchlist-empty"});
  #stopQuotes = () => {};

  constructor(connection, until) {
    this.#connection = connection;
    const head = h("tr", {}, ...COLUMNS.map(([name, kind]) => h("th", {class: kind}, name)));
    this.#body.addEventListener("keydown", (event) => this.#moveBy(event));
    this.element = h("section", {class: "card", "data-testid": "watchlist"},
      h("header", {}, h("h2", {}, "Watchlist"), this.#note),
      h("div", {class: "scroll"},
        h("table", {role: "grid", "aria-label": "Watchlist"}, h("thead", {}, head), this.#body),
        this.#empty));
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
    this.#empty.textContent = `Waiting for the feed at ${host} …`;
    this.#empty.hidden = symbols !== null;
    const names = [...(symbols?.keys() ?? [])];
    if (names.join() === [...this.#rows.keys()].join()) return;
    this.#rows = new Map(names.map((name) => [name, this.#row(symbols.get(name))]));
    this.#body.replaceChildren(...[...this.#rows.values()].map((row) => row.element));
    this.#stopQuotes();
    this.#stopQuotes = this.#connection.subscribeQuotes(names, (quotes) => this.#show(quotes));
    if (page.symbol === null && names.length) page.select(names[0]);
    this.#mark(page.symbol);
  }

  #row(info) {
    const row = new QuoteRow(info);
    row.element.addEventListener("click", () => page.select(info.symbol));
    return row;
  }

  #show(quotes) {
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

  /** Old prices stay, dimmed, with their age. */
  #showHealth() {
    const {state, sources} = this.#connection;
    const stale = isStale(healthOf(state, sources)) && this.#rows.size > 0;
    this.element.toggleAttribute("data-stale", stale);
    const age_ms = this.#connection.stats().last_data_age_ms;
    this.#note.textContent = stale && age_ms !== null ? `${formatAge(age_ms)} old` : "";
  }
}
