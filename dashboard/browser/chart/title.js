/** Over the chart: whose price this is, and how it stands. */

import {h, setText} from "quotewire/dom.js";
import {
  changeOf, directionOf, formatAge, formatChange, formatPercent, formatPrice, isSymbol,
} from "quotewire/format.js";

export class Title {
  #decimals = 2;
  #label = "";
  #symbol = h("h2", {"data-testid": "chart-symbol"});
  #name = h("span", {class: "name"});
  #chip = h("span", {class: "chip", "data-testid": "chart-label"});
  #age = h("span", {class: "age", "data-testid": "chart-age"});
  #last = h("span", {class: "price", "data-testid": "chart-last"});
  #change = h("span", {class: "change", "data-testid": "chart-change"});
  element = h("header", {},
    h("div", {class: "title"}, this.#symbol, this.#name, this.#chip, this.#age),
    h("div", {class: "quote"}, this.#last, this.#change));

  /** @param {import("../protocol.js").SymbolInfo | null} info */
  begin(info) {
    this.#decimals = info?.decimals ?? 2;
    this.#label = info?.label ?? "";
    setText(this.#symbol, info?.symbol ?? "");
    setText(this.#name, !info || isSymbol(info.name, info.symbol) ? "" : info.name);
    setText(this.#chip, this.#label);
    setText(this.#last, "");
    setText(this.#change, "");
    this.#chip.hidden = !this.#label;
  }

  /** @param {import("../core/quote_book.js").Quote} quote */
  showQuote(quote) {
    const {change, ratio} = changeOf(quote);
    setText(this.#last, formatPrice(quote.last, this.#decimals));
    setText(this.#change,
      change === null ? "" : `${formatChange(change, this.#decimals)} (${formatPercent(ratio)})`);
    this.#change.dataset.direction = directionOf(change);
    setText(this.#chip, [this.#label, quote.session].filter(Boolean).join(" · "));
    this.#chip.hidden = false;
  }

  /** @param {number | null} age_ms null where prices are fresh */
  showAge(age_ms) {
    setText(this.#age, age_ms === null ? "" : `${formatAge(age_ms)} old`);
  }
}

/**
 * Whether a chart of one is the chart of the other.
 *
 * @param {import("../protocol.js").SymbolInfo | null} a
 * @param {import("../protocol.js").SymbolInfo | null} b
 */
export function sameInfo(a, b) {
  return a?.symbol === b?.symbol && a?.label === b?.label && a?.decimals === b?.decimals;
}
