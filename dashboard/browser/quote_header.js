/** How the page's symbol stands: last price, change, bid and ask, the day so far. */

import {explainAbsence, explainUnknown} from "quotewire/absence.js";
import {address} from "quotewire/address.js";
import {bellIcon} from "quotewire/alerts/icon.js";
import {hasAlerts, openAlerts} from "quotewire/alerts/open.js";
import {DayRange} from "quotewire/day_range.js";
import {h, setText} from "quotewire/dom.js";
import {Flash} from "quotewire/flash.js";
import {
  changeOf, directionOf, formatAge, formatChange, formatPercent, formatPrice, formatVolume, isSymbol,
} from "quotewire/format.js";
import {mount} from "quotewire/live.js";
import {chooseFirst} from "quotewire/market/lists.js";

const AGE_MS = 1000;

/** @typedef {import("./core/quote_book.js").Quote} Quote */
/** @typedef {import("./protocol.js").SymbolInfo} SymbolInfo */

/** @param {import("./panel.d.ts").ElementContext} context */
export function render(context) {
  return mount(context, (connection, until) => new QuoteHeader(connection, until).element);
}

class QuoteHeader {
  #connection;
  /** @type {SymbolInfo | null} */
  #info = null;
  /** @type {Quote | null} */
  #quote = null;
  #unsubscribe = () => {};
  #symbol = h("h1", {"data-testid": "header-symbol"});
  #name = h("span", {class: "name"});
  #chip = h("span", {class: "chip", "data-testid": "header-label"});
  #closed = h("span", {class: "chip", hidden: true, "data-testid": "header-closed"}, "Market closed");
  #age = h("span", {class: "age", "data-testid": "header-age"});
  #alert = h("button", {
    type: "button", class: "alert", hidden: true, "data-testid": "header-alert",
    onclick: () => this.#info && openAlerts(this.#info.symbol),
  }, bellIcon());
  #last = h("span", {class: "last", "data-testid": "header-last"});
  #change = h("span", {class: "change", "data-testid": "header-change"});
  #bid = fact("Bid", "header-bid");
  #ask = fact("Ask", "header-ask");
  #spread = fact("Spread", "header-spread");
  #open = fact("Open", "header-open");
  #before = fact("Previous close", "header-previous");
  #volume = fact("Volume", "header-volume");
  #range = new DayRange();
  #empty = h("p", {class: "empty", role: "status", hidden: true, "data-testid": "header-empty"});
  #flash = new Flash(this.#last);
  element = h("section", {class: "card", "aria-label": "Quote", "data-testid": "quote-header"},
    h("div", {class: "who"}, this.#symbol, this.#name, this.#chip, this.#closed, this.#age, this.#alert),
    h("div", {class: "price"}, this.#last, this.#change),
    h("dl", {}, this.#bid.element, this.#ask.element, this.#spread.element, this.#open.element,
      this.#before.element, this.#volume.element),
    this.#range.element, this.#empty);

  /**
   * @param {import("./connection.js").Connection} connection
   * @param {(end: () => void) => void} until
   */
  constructor(connection, until) {
    this.#connection = connection;
    const aging = setInterval(() => this.#showHealth(), AGE_MS);
    until(() => clearInterval(aging));
    until(() => this.#unsubscribe());
    chooseFirst(connection, until);
    until(connection.onSymbols(() => this.#choose()));
    until(address.on("symbol", () => this.#choose()));
    until(connection.onState(() => this.#showHealth()));
    until(connection.onStatus(() => this.#showHealth()));
  }

  #choose() {
    const symbol = address.get("symbol") ?? "";
    const info = this.#connection.symbols?.get(symbol) ?? null;
    const same = info?.symbol === this.#info?.symbol;
    this.#info = info;
    setText(this.#symbol, symbol);
    this.#alert.title = `Set an alert for ${symbol}`;
    this.#alert.setAttribute("aria-label", this.#alert.title);
    setText(this.#name, info && !isSymbol(info.name, info.symbol) ? info.name : "");
    setText(this.#chip, info?.label ?? "");
    if (!same) this.#begin(symbol);
    else if (this.#quote) this.#show(this.#quote);
    this.#showHealth();
  }

  /** @param {string} symbol */
  #begin(symbol) {
    this.#unsubscribe();
    this.#unsubscribe = () => {};
    this.#quote = null;
    this.#flash = new Flash(this.#last);
    delete this.#last.dataset.tick;
    if (this.#info) {
      this.#unsubscribe = this.#connection.subscribeQuotes([symbol], ([quote]) => this.#show(quote));
    }
  }

  /** @param {Quote} quote */
  #show(quote) {
    const {decimals = 2, label = ""} = this.#info ?? {};
    const price = (/** @type {number | null} */ value) => formatPrice(value, decimals);
    const {change, ratio} = changeOf(quote);
    const first = this.#quote === null;
    this.#quote = quote;
    setText(this.#last, price(quote.last));
    setText(this.#change,
      change === null ? "" : `${formatChange(change, decimals)} (${formatPercent(ratio)})`);
    this.#change.dataset.direction = directionOf(change);
    setText(this.#chip, [label, quote.session].filter(Boolean).join(" · "));
    this.#bid.show(quote.bid === null ? "" : price(quote.bid));
    this.#ask.show(quote.ask === null ? "" : price(quote.ask));
    this.#spread.show(spreadOf(quote, decimals));
    this.#open.show(price(quote.open));
    this.#before.show(quote.prev_close === null ? "" : price(quote.prev_close));
    this.#volume.show(formatVolume(quote.volume));
    this.#range.show(quote, decimals);
    this.#flash.show(quote.last, performance.now());
    if (first) this.#showHealth();
  }

  /** An old price stays, dimmed, with its age. */
  #showHealth() {
    const symbol = address.get("symbol");
    const {state, age_ms} = this.#info
      ? this.#connection.freshness(this.#info.symbol) : {state: "unknown", age_ms: null};
    const stale = state === "stale" && this.#quote !== null;
    this.element.toggleAttribute("data-stale", stale);
    setText(this.#age, stale && age_ms !== null ? `${formatAge(age_ms)} old` : "");
    const closed = this.#info && this.#connection.health([this.#info.symbol]).state === "market-closed";
    this.#closed.hidden = !closed;
    this.#alert.hidden = !this.#info || !hasAlerts();
    this.element.toggleAttribute("data-empty", this.#quote === null);
    this.#empty.hidden = this.#quote !== null;
    if (this.#quote) return;
    if (this.#connection.symbols === null) setText(this.#empty, explainAbsence(this.#connection));
    else if (!symbol) setText(this.#empty, "Choose a symbol: press / and type.");
    else if (!this.#info) setText(this.#empty, `${explainUnknown(symbol)} Choose one that it has: press / and type.`);
    else setText(this.#empty, `Waiting for a price of ${symbol} …`);
  }
}

/** A term and its value; hidden where there is none. @param {string} term @param {string} testId */
function fact(term, testId) {
  const value = h("dd", {"data-testid": testId});
  const element = h("div", {hidden: true}, h("dt", {}, term), value);
  return {
    element,
    /** @param {string} text */
    show(text) {
      element.hidden = !text;
      setText(value, text);
    },
  };
}

/** Absolute, and of the middle in hundredths of a percent. @param {Quote} quote @param {number} decimals */
function spreadOf({bid, ask}, decimals) {
  if (bid === null || ask === null) return "";
  const spread = ask - bid;
  const middle = (ask + bid) / 2;
  const points = middle > 0 ? ` (${((spread / middle) * 1e4).toFixed(1)} bp)` : "";
  return formatPrice(spread, decimals) + points;
}
