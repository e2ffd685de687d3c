/** Where a price is between the day's low and high. */

import {h, setText} from "quotewire/dom.js";
import {formatPrice} from "quotewire/format.js";

/** From 0 at the low to 1 at the high. Pure. @param {{low: number, high: number, last: number}} quote */
export function shareOf({low, high, last}) {
  return high > low ? Math.max(0, Math.min(1, (last - low) / (high - low))) : 0.5;
}

/** The bar alone. */
export class RangeBar {
  #mark = h("i");
  #left = "";
  element = h("div", {class: "track"}, this.#mark);

  /** @param {{low: number, high: number, last: number}} quote */
  show(quote) {
    const left = `${(shareOf(quote) * 100).toFixed(1)}%`;
    if (left === this.#left) return;
    this.#left = left;
    this.#mark.style.left = left;
  }
}

/** The bar with its ends in words. */
export class DayRange {
  #low;
  #high;
  #bar = new RangeBar();

  /** @param {string} [prefix] of its test ids */
  constructor(prefix = "header") {
    this.#low = h("span", {"data-testid": `${prefix}-low`});
    this.#high = h("span", {"data-testid": `${prefix}-high`});
    this.element = h("div", {class: "day"}, h("span", {class: "words"}, "Day range"),
      this.#bar.element, h("div", {class: "ends"}, this.#low, this.#high));
  }

  /** @param {{low: number, high: number, last: number}} quote @param {number} decimals */
  show(quote, decimals) {
    this.#bar.show(quote);
    setText(this.#low, formatPrice(quote.low, decimals));
    setText(this.#high, formatPrice(quote.high, decimals));
  }
}
