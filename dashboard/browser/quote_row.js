/** One line of the watchlist. */

import {h, setText} from "quotewire/dom.js";
import {Flash} from "quotewire/flash.js";
import {
  changeOf, directionOf, formatAge, formatChange, formatPercent, formatPrice, formatVolume,
  isSymbol,
} from "quotewire/format.js";
import {Sparkline} from "quotewire/sparkline.js";

export class QuoteRow {
  /** What it sorts by. @type {import("./market/columns.js").Row} */
  facts;
  #spark = new Sparkline();
  #cells;
  #flash;
  #name = h("span");
  #sides = h("small", {class: "sides"});
  #label = h("i", {class: "label"});
  #age = h("i", {class: "age"});

  /** @param {import("./protocol.js").SymbolInfo} info */
  constructor(info) {
    const {symbol, name} = info;
    this.facts = {info, quote: null, age_ms: null, isStale: false};
    const cell = (/** @type {string} */ field) => h("span", {"data-testid": `quote-${symbol}-${field}`}, "–");
    this.#cells = {
      last: cell("last"), change: cell("change"), percent: cell("percent"), volume: cell("volume"),
    };
    const {last, change, percent, volume} = this.#cells;
    this.#flash = new Flash(last);
    this.element = h("tr", {role: "row", "data-testid": `quote-${symbol}`},
      h("th", {scope: "row", title: name}, h("b", {}, symbol), h("small", {}, this.#age, this.#label, this.#name)),
      h("td", {class: "trend"}, this.#spark.element),
      h("td", {class: "number last"}, last, this.#sides),
      h("td", {class: "number change"}, change, percent),
      h("td", {class: "number volume"}, volume));
  }

  /**
   * @param {import("./protocol.js").SymbolInfo} info as it is now
   * @param {boolean} labelled whether the row says what its price is
   */
  describe(info, labelled) {
    const {symbol, name, label} = info;
    this.facts.info = info;
    const shown = labelled ? label : "";
    setText(this.#label, shown);
    setText(this.#name, shown || isSymbol(name, symbol) ? "" : name); // there is no room for both
  }

  /** @param {number | null} age_ms of a price that may be out of date, null where it is good */
  markAge(age_ms) {
    Object.assign(this.facts, {age_ms, isStale: age_ms !== null});
    this.element.toggleAttribute("data-stale", age_ms !== null);
    setText(this.#age, age_ms === null ? "" : `${formatAge(age_ms)} old`);
  }

  /** @param {import("./core/quote_book.js").Quote} quote @param {import("./sparkline.js").Path} path @param {number} now_ms */
  show(quote, path, now_ms) {
    const {change, ratio} = changeOf(quote);
    const {decimals} = this.facts.info;
    this.facts.quote = quote;
    setText(this.#cells.last, formatPrice(quote.last, decimals));
    setText(this.#sides, sidesOf(quote, decimals));
    setText(this.#cells.change, formatChange(change, decimals));
    setText(this.#cells.percent, formatPercent(ratio));
    setText(this.#cells.volume, formatVolume(quote.volume));
    this.element.dataset.direction = directionOf(change);
    this.trace(path);
    this.#flash.show(quote.last, now_ms);
  }

  /** @param {import("./sparkline.js").Path} path through its session */
  trace(path) {
    this.#spark.draw(path);
  }

  /** What is drawn of its path; without a box where there is no room for it. */
  get line() {
    return this.#spark.element;
  }

  /** @param {boolean} selected @param {boolean} focusable reached by the Tab key */
  mark(selected, focusable) {
    this.element.setAttribute("aria-selected", String(selected));
    this.element.tabIndex = focusable ? 0 : -1;
  }
}

/** Bid and ask. @param {import("./core/quote_book.js").Quote} quote @param {number} decimals */
function sidesOf({bid, ask}, decimals) {
  return bid === null || ask === null ? "" : `${formatPrice(bid, decimals)} / ${formatPrice(ask, decimals)}`;
}
