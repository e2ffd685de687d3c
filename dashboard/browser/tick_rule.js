/**
 * Which way trades went. Pure.
 *
 * By the tick rule of Lee and Ready, “Inferring Trade Direction from Intraday Data”, Journal of Finance
 * 46 (1991): up where the price is above that of the trade before, down where it is below, and where
 * it is the same as the last trade at another price went.
 *
 * @typedef {"up" | "down" | "flat"} Direction flat until the price has moved
 */

export class TickRule {
  /** @type {number | null} */
  #last = null;
  /** @type {Direction} */
  #direction = "flat";

  /** Whether the price has moved. */
  get hasMoved() {
    return this.#direction !== "flat";
  }

  /** @param {number} price of the next trade @returns {Direction} */
  next(price) {
    if (this.#last !== null && price !== this.#last) {
      this.#direction = price > this.#last ? "up" : "down";
    }
    this.#last = price;
    return this.#direction;
  }
}
