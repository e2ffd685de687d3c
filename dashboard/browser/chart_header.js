/** Over the chart: whose price this is, how it stands, and the bar under the pointer. */

import {h, setText} from "quotewire/dom.js";
import {
  changeOf, directionOf, formatAge, formatChange, formatPercent, formatPrice, formatStart,
  formatVolume, isSymbol,
} from "quotewire/format.js";

/** @type {[string, keyof Values][]} */
const VALUES = [["O", "open"], ["H", "high"], ["L", "low"], ["C", "close"], ["V", "volume"]];

/**
 * @typedef {{open: number, high: number, low: number, close: number, volume: number}} Values
 */

export class ChartHeader {
  #decimals = 2;
  #label = "";
  #interval = "1d";
  #symbol = h("h2", {"data-testid": "chart-symbol"});
  #name = h("span", {class: "name"});
  #chip = h("span", {class: "chip", "data-testid": "chart-label"});
  #age = h("span", {class: "age", "data-testid": "chart-age"});
  #last = h("span", {class: "price", "data-testid": "chart-last"});
  #change = h("span", {class: "change", "data-testid": "chart-change"});
  #date = h("span", {class: "date"});
  #values = VALUES.map(([letter, field]) =>
    ({letter, field, element: h("b", {"data-testid": `legend-${field}`})}));
  #legend = h("p", {class: "legend", "data-testid": "legend"}, this.#date,
    ...this.#values.map(({letter, element}) => h("span", {}, `${letter} `, element)));
  element = h("header", {},
    h("div", {class: "title"}, this.#symbol, this.#name, this.#chip, this.#age),
    h("div", {class: "quote"}, this.#last, this.#change),
    this.#legend);

  constructor() {
    this.showBar(null);
  }

  /** @param {import("./protocol.js").SymbolInfo | null} info @param {string} interval */
  begin(info, interval) {
    this.#interval = interval;
    this.#decimals = info?.decimals ?? 2;
    this.#label = info?.label ?? "";
    setText(this.#symbol, info?.symbol ?? "");
    setText(this.#name, !info || isSymbol(info.name, info.symbol) ? "" : info.name);
    setText(this.#chip, this.#label);
    setText(this.#last, "");
    setText(this.#change, "");
    this.#chip.hidden = !this.#label;
    this.showBar(null);
  }

  /** @param {import("./core/quote_book.js").Quote} quote */
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

  /** @param {(Values & {start_ms: number}) | null} bar */
  showBar(bar) {
    this.#legend.style.visibility = bar ? "visible" : "hidden"; // keeps its height
    setText(this.#date, bar ? formatStart(bar.start_ms, this.#interval) : "");
    for (const {field, element} of this.#values) {
      const value = bar?.[field];
      setText(element,
        field === "volume" ? formatVolume(value) : formatPrice(value, this.#decimals));
    }
  }
}
