/**
 * Who gains, who loses, what is traded most of all that the feed has. The ranking is asked for now
 * and then; the prices of those in it are live. They change with their order, or where that is held.
 */

import {absent} from "quotewire/overview/movers_words.js";
import {address} from "quotewire/address.js";
import {QuoteBook} from "quotewire/core/quote_book.js";
import {h, setText} from "quotewire/dom.js";
import {changeOf, directionOf, formatPercent, formatPrice, formatVolume} from "quotewire/format.js";
import {mount} from "quotewire/live.js";
import {turnoverOf} from "quotewire/market/columns.js";
import {movers, newest} from "quotewire/market/movers.js";
import {segments} from "quotewire/market/segments.js";
import {ageTitle, labelOf, oldWords} from "quotewire/overview/old_words.js";
import {pause} from "quotewire/pause.js";
import {quoteQueries} from "quotewire/quote_queries.js";

/** @typedef {import("../market/movers.js").Ranking} Ranking */
/** @typedef {import("../core/quote_book.js").Quote} Quote */
/** @typedef {{element: HTMLElement, button: HTMLElement, last: HTMLElement, figure: HTMLElement}} Line */

const MOST = 5;
const ASK_MS = 5000;
const RANK_MS = 1000;
/** States of a connection in which quotes come. */
const COMES = new Set(["live", "polling"]);
/** @type {[Ranking, string][]} */
const RANKINGS = [["gainers", "Gainers"], ["losers", "Losers"], ["active", "Most active"]];

/** @param {import("../panel.d.ts").ElementContext} context */
export function render(context) {
  return mount(context, (connection, until) => new Movers(connection, until).element);
}

export class Movers {
  #connection;
  /** @type {Ranking} */
  #ranking = "gainers";
  #book = new QuoteBook();
  /** @type {Map<string, Line>} */
  #lines = new Map();
  /** @type {Map<string, Quote>} of those that are shown or were: a poll may be older */
  #live = new Map();
  #unsubscribe = () => {};
  #isAsking = false;
  #hasEnded = false;
  #label = h("span", {class: "chip", "data-testid": "movers-label"});
  #old = h("span", {class: "note", "data-testid": "movers-old"});
  #isPointedAt = false;
  #rows = h("ol", {
    "data-testid": "movers",
    onpointerenter: () => (this.#isPointedAt = true), onpointerleave: () => (this.#isPointedAt = false),
  });
  #empty = h("p", {class: "empty", role: "status", "data-testid": "movers-empty"});
  #choice = segments("Ranking", RANKINGS, (ranking) => this.#choose(/** @type {Ranking} */ (ranking)));
  element = h("section", {class: "card", "aria-label": "Movers", "data-testid": "movers-card"},
    h("header", {}, h("h2", {}, "Movers"), this.#label, this.#old, this.#choice.element), this.#rows, this.#empty);

  /** @param {import("../connection.js").Connection} connection @param {(end: () => void) => void} until */
  constructor(connection, until) {
    this.#connection = connection;
    until(() => this.#end());
    this.#choose("gainers");
    until(connection.onSymbols(() => this.#ask()));
    until(connection.onState(() => this.#explain()));
    const asking = setInterval(() => this.#ask(), ASK_MS);
    until(() => clearInterval(asking));
    const ranking = setInterval(() => this.#tick(), RANK_MS);
    until(() => clearInterval(ranking));
  }

  #end() {
    this.#hasEnded = true;
    this.#unsubscribe();
  }

  /** @param {Ranking} ranking */
  #choose(ranking) {
    this.#ranking = ranking;
    this.#choice.mark(ranking);
    this.#rank();
  }

  /** What one points at stays where it is; its numbers do not. */
  get #isHeld() {
    return pause.isPaused || document.hidden || (this.#lines.size > 0 && this.#isPointedAt);
  }

  async #ask() {
    const {symbols} = this.#connection;
    if (!symbols || this.#isAsking || this.#isHeld) return;
    this.#isAsking = true;
    for (const query of quoteQueries(symbols.keys())) {
      if (!this.#hasEnded) await this.#askFor(query);
    }
    this.#isAsking = false;
    if (!this.#hasEnded) this.#rank(); // what is begun later, nothing would end
  }

  /** @param {Record<string, unknown>} query */
  async #askFor(query) {
    try {
      this.#book.apply(await this.#connection.ask("quotes", query), {polled: true});
    } catch (error) {
      console.debug(`quotewire: no ranking now: ${error}`); // the badge tells how the feed does
    }
  }

  /** Prices that stand still grow old in any case. */
  #tick() {
    if (!this.#isHeld) this.#rank();
    else this.#age();
  }

  #rank() {
    const known = new Set([...this.#book.quotes().keys(), ...this.#live.keys()]);
    const names = movers(this.#quotes(known), this.#ranking, MOST);
    const before = [...this.#lines.keys()];
    this.#lines = new Map(names.map((symbol) => [symbol, this.#lines.get(symbol) ?? line(symbol)]));
    if (names.join() !== before.join()) {
      this.#rows.replaceChildren(...[...this.#lines.values()].map(({element}) => element));
      this.#follow(names);
    }
    this.#quotes(names).forEach((quote) => this.#show(quote));
    setText(this.#label, labelOf(names.flatMap((symbol) => this.#connection.symbols?.get(symbol) ?? [])));
    this.#age();
    this.#explain();
  }

  /** @param {Iterable<string>} symbols */
  #quotes(symbols) {
    return [...symbols].flatMap((symbol) => newest(this.#book.quote(symbol), this.#live.get(symbol)) ?? []);
  }

  /** Old prices stay, dimmed, with their age. */
  #age() {
    let old = 0;
    for (const quote of this.#quotes(this.#lines.keys())) {
      const age_ms = this.#oldAge(quote);
      const {element, button} = /** @type {Line} */ (this.#lines.get(quote.symbol));
      element.toggleAttribute("data-stale", age_ms !== null);
      button.title = ageTitle(quote.symbol, age_ms);
      if (age_ms !== null) old += 1;
    }
    setText(this.#old, oldWords(old, this.#lines.size));
  }

  /** Who is new here is followed in a moment, where quotes come. @param {Quote} quote @returns {number | null} null: it is good */
  #oldAge(quote) {
    const {state, age_ms} = this.#connection.freshness(quote.symbol);
    if (state === "stale") return age_ms;
    return state === "unknown" && !COMES.has(this.#connection.state.state) ? this.#connection.ageOf(quote) : null;
  }

  /** @param {string[]} names */
  #follow(names) {
    const before = this.#unsubscribe;
    this.#unsubscribe = this.#connection.subscribeQuotes(names, (quotes) => {
      for (const quote of quotes) this.#live.set(quote.symbol, quote);
      this.#renew();
    });
    before();
  }

  /** Where they are not in the order of what they are now, numbers and places change together, if places may. */
  #renew() {
    const names = [...this.#lines.keys()];
    const quotes = this.#quotes(names);
    const isInOrder = movers(quotes, this.#ranking, MOST).join() === names.join();
    if (isInOrder || this.#isHeld) quotes.forEach((quote) => this.#show(quote));
    this.#age();
  }

  /** @param {Quote} quote */
  #show(quote) {
    const shown = this.#lines.get(quote.symbol);
    if (!shown) return;
    const {change, ratio} = changeOf(quote);
    const decimals = this.#connection.symbols?.get(quote.symbol)?.decimals ?? 2;
    shown.element.dataset.direction = directionOf(change);
    setText(shown.last, formatPrice(quote.last, decimals));
    setText(shown.figure, this.#ranking === "active" ? formatVolume(turnoverOf(quote)) : formatPercent(ratio));
    shown.figure.classList.toggle("change", this.#ranking !== "active");
  }

  #explain() {
    this.#empty.hidden = this.#lines.size > 0;
    if (!this.#lines.size) setText(this.#empty, absent(this.#connection, this.#ranking, this.#book.size > 0));
  }
}

/** @param {string} symbol @returns {Line} */
function line(symbol) {
  const last = h("span", {class: "number"});
  const figure = h("span", {class: "number"});
  const button = h("button", {
    type: "button", "data-testid": `mover-${symbol}`, title: symbol, onclick: () => address.set({symbol}),
  }, h("b", {}, symbol), last, figure);
  return {element: h("li", {}, button), button, last, figure};
}
