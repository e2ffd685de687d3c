/** One symbol's price, to be put anywhere: last, change, bid and ask, and what to know of it. */

import {explainNoPrice} from "quotewire/absence.js";
import {h, setText} from "quotewire/dom.js";
import {Flash} from "quotewire/flash.js";
import {
  changeOf, directionOf, formatAge, formatChange, formatPercent, formatPrice, formatTime, isSymbol,
} from "quotewire/format.js";
import {mount} from "quotewire/live.js";
import {marketZone} from "quotewire/wording.js";

const AGE_MS = 1000;

/** @param {import("./panel.d.ts").ElementContext} context */
export function render(context) {
  return mount(context, (connection, until) =>
    new LiveQuote(context.model, connection, until).element);
}

class LiveQuote {
  #model;
  #connection;
  #decimals = 2;
  /** @type {import("./core/quote_book.js").Quote | null} */
  #quote = null;
  #symbol = h("b", {"data-testid": "live-quote-symbol"});
  #name = h("span", {class: "name"});
  #label = h("span", {class: "chip", "data-testid": "live-quote-label"});
  #last = h("span", {class: "last", "data-testid": "live-quote-last"});
  #change = h("span", {class: "change", "data-testid": "live-quote-change"});
  #bid = h("b", {"data-testid": "live-quote-bid"});
  #ask = h("b", {"data-testid": "live-quote-ask"});
  #spread = h("span", {class: "spread"}, "Bid ", this.#bid, " Ask ", this.#ask);
  #when = h("span", {class: "when", "data-testid": "live-quote-when"});
  #empty = h("p", {class: "empty", role: "status", "data-testid": "live-quote-empty"});
  #flash = new Flash(this.#last);
  #unsubscribe = () => {};
  element = h("section", {class: "card", "data-testid": "live-quote"},
    h("header", {}, this.#symbol, this.#name, this.#label),
    h("div", {class: "price"}, this.#last, this.#change),
    h("footer", {}, this.#spread, this.#when),
    this.#empty);

  /**
   * @param {import("./panel.d.ts").ElementModel} model
   * @param {import("./connection.js").Connection} connection
   * @param {(end: () => void) => void} until
   */
  constructor(model, connection, until) {
    this.#model = model;
    this.#connection = connection;
    const aging = setInterval(() => this.#showHealth(), AGE_MS);
    until(() => clearInterval(aging));
    until(() => this.#unsubscribe());
    const chosen = () => this.#choose();
    model.on("symbol", chosen);
    until(() => model.off("symbol", chosen));
    this.#choose();
    until(connection.onSymbols(() => this.#describe()));
    until(connection.onState(() => this.#showHealth()));
    until(connection.onStatus(() => this.#showHealth()));
  }

  /** The feed may learn of a symbol by being asked for it, so it is asked for whatever it lists. */
  #choose() {
    const {symbol} = this.#model;
    this.#unsubscribe();
    this.#quote = null;
    this.#flash = new Flash(this.#last);
    this.element.setAttribute("aria-label", `Price of ${symbol}`);
    setText(this.#symbol, symbol);
    this.#describe();
    this.#unsubscribe = this.#connection.subscribeQuotes([symbol], ([quote]) => this.#show(quote));
  }

  #describe() {
    const info = this.#connection.symbols?.get(this.#model.symbol);
    this.#decimals = info?.decimals ?? 2;
    setText(this.#name, info && !isSymbol(info.name, info.symbol) ? info.name : "");
    setText(this.#label, info?.label ?? "");
    if (this.#quote) this.#show(this.#quote);
    this.#showHealth();
  }

  /** @param {import("./core/quote_book.js").Quote} quote */
  #show(quote) {
    const {change, ratio} = changeOf(quote);
    const first = this.#quote === null;
    this.#quote = quote;
    setText(this.#last, formatPrice(quote.last, this.#decimals));
    setText(this.#change,
      change === null ? "" : `${formatChange(change, this.#decimals)} (${formatPercent(ratio)})`);
    this.#change.dataset.direction = directionOf(change ?? 0);
    this.#flash.show(quote.last, performance.now());
    this.#spread.hidden = quote.bid === null && quote.ask === null;
    setText(this.#bid, formatPrice(quote.bid, this.#decimals));
    setText(this.#ask, formatPrice(quote.ask, this.#decimals));
    if (first) this.#showHealth();
    else if (!this.element.hasAttribute("data-stale")) this.#showTime();
  }

  get #zone() {
    return marketZone(this.#connection.symbols?.get(this.#model.symbol)?.zone);
  }

  #showTime() {
    if (this.#quote) setText(this.#when, formatTime(this.#quote.time_ms, this.#zone));
  }

  /** An old price stays, dimmed, with its age. */
  #showHealth() {
    const {state, age_ms} = this.#connection.freshness(this.#model.symbol);
    const stale = state === "stale" && this.#quote !== null;
    this.element.toggleAttribute("data-stale", stale);
    if (stale && age_ms !== null) setText(this.#when, `${formatAge(age_ms)} old`);
    else this.#showTime();
    this.#empty.hidden = this.#quote !== null;
    setText(this.#empty, explainNoPrice(this.#connection, this.#model.symbol));
  }
}
