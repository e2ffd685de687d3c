/** One line of the watchlist. */

import {h, setText} from "quotewire/dom.js";
import {
  changeOf, directionOf, formatAge, formatChange, formatPercent, formatPrice, formatVolume,
  isSymbol,
} from "quotewire/format.js";
import {Path, Sparkline} from "quotewire/sparkline.js";

/** A price flashes at most so often, however fast it moves. */
const FLASH_MS = 1000;

const prefersCalm = window.matchMedia("(prefers-reduced-motion: reduce)");

export class QuoteRow {
  #decimals = 2;
  /** @type {number | null} */
  #last = null;
  #flashed_ms = -Infinity;
  #path = new Path();
  #spark = new Sparkline();
  #cells;
  #name = h("span");
  #label = h("i", {class: "label"});
  #age = h("i", {class: "age"});

  /** @param {import("./protocol.js").SymbolInfo} info */
  constructor({symbol, name}) {
    const cell = (/** @type {string} */ field) => h("span", {"data-testid": `quote-${symbol}-${field}`}, "–");
    this.#cells = {
      last: cell("last"), change: cell("change"), percent: cell("percent"), volume: cell("volume"),
    };
    const {last, change, percent, volume} = this.#cells;
    this.element = h("tr", {role: "row", "data-testid": `quote-${symbol}`},
      h("th", {scope: "row", title: name}, h("b", {}, symbol), h("small", {}, this.#age, this.#label, this.#name)),
      h("td", {class: "trend"}, this.#spark.element),
      h("td", {class: "number last"}, last),
      h("td", {class: "number change"}, change, percent),
      h("td", {class: "number volume"}, volume));
  }

  /**
   * @param {import("./protocol.js").SymbolInfo} info as it is now
   * @param {boolean} labelled whether the row says what its price is
   */
  describe({symbol, name, label, decimals}, labelled) {
    this.#decimals = decimals;
    const shown = labelled ? label : "";
    setText(this.#label, shown);
    setText(this.#name, shown || isSymbol(name, symbol) ? "" : name); // there is no room for both
  }

  /** @param {number | null} age_ms of a price that may be out of date, null where it is good */
  markAge(age_ms) {
    this.element.toggleAttribute("data-stale", age_ms !== null);
    setText(this.#age, age_ms === null ? "" : `${formatAge(age_ms)} old`);
  }

  /** @param {import("./core/quote_book.js").Quote} quote @param {number} now_ms */
  show(quote, now_ms) {
    const {change, ratio} = changeOf(quote);
    setText(this.#cells.last, formatPrice(quote.last, this.#decimals));
    setText(this.#cells.change, formatChange(change, this.#decimals));
    setText(this.#cells.percent, formatPercent(ratio));
    setText(this.#cells.volume, formatVolume(quote.volume));
    this.element.dataset.direction = directionOf(change);
    this.#path.add(quote.session, quote.last);
    this.#spark.draw(this.#path.prices);
    if (this.#last !== null && quote.last !== this.#last) this.#flash(quote.last > this.#last, now_ms);
    this.#last = quote.last;
  }

  /** @param {boolean} selected @param {boolean} focusable reached by the Tab key */
  mark(selected, focusable) {
    this.element.setAttribute("aria-selected", String(selected));
    this.element.tabIndex = focusable ? 0 : -1;
  }

  /** @param {boolean} up @param {number} now_ms */
  #flash(up, now_ms) {
    const direction = up ? "up" : "down";
    this.#cells.last.dataset.tick = direction;
    if (prefersCalm.matches || now_ms - this.#flashed_ms < FLASH_MS) return;
    this.#flashed_ms = now_ms;
    const colours = [`var(--flash-${direction})`, "transparent"];
    this.#cells.last.animate({backgroundColor: colours}, {duration: 700, easing: "ease-out"});
  }
}
