/** A price's path through its session, as a small line. */

import {svg} from "quotewire/dom.js";

const WIDTH = 56;
const HEIGHT = 22;
const POINTS = 48;

/** Keeps a session's prices, thinned out as they grow many. Pure. */
export class Path {
  /** @type {number[]} */
  prices = [];
  /** @type {string | null} */
  #session = null;
  #step = 1;
  #skipped = 0;

  /** @param {string} session @param {number} price */
  add(session, price) {
    if (session !== this.#session) {
      this.#session = session;
      this.prices = [];
      this.#step = 1;
    }
    this.#skipped += 1;
    if (this.#skipped < this.#step) {
      this.prices[this.prices.length - 1] = price;
      return;
    }
    this.#skipped = 0;
    this.prices.push(price);
    if (this.prices.length >= POINTS) {
      this.prices = this.prices.filter((_, i) => i % 2 === 0 || i === this.prices.length - 1);
      this.#step *= 2;
    }
  }
}

export class Sparkline {
  #line = svg("polyline", {fill: "none", "stroke-linejoin": "round"});
  element = svg("svg", {
    class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none",
    "aria-hidden": "true",
  }, this.#line);

  /** @param {number[]} prices */
  draw(prices) {
    const low = Math.min(...prices);
    const span = Math.max(...prices) - low || 1;
    const across = WIDTH / Math.max(1, prices.length - 1);
    const point = (/** @type {number} */ price, /** @type {number} */ i) =>
      `${(i * across).toFixed(1)},${(HEIGHT - 2 - ((price - low) / span) * (HEIGHT - 4)).toFixed(1)}`;
    this.#line.setAttribute("points", prices.length > 1 ? prices.map(point).join(" ") : "");
  }
}
