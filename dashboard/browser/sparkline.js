/** A price's path through its session, as a small line. */

import {svg} from "quotewire/dom.js";

/** Tenths of a pixel: whole numbers are written several times faster than decimals. */
const WIDTH = 560;
const HEIGHT = 220;
const MARGIN = 20;
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
  #line = svg("polyline",
    {fill: "none", "stroke-linejoin": "round", "vector-effect": "non-scaling-stroke"});
  element = svg("svg", {
    class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none",
    "aria-hidden": "true",
  }, this.#line);

  /** @param {readonly number[]} prices */
  draw(prices) {
    const low = Math.min(...prices);
    const span = Math.max(...prices) - low || 1;
    const across = WIDTH / Math.max(1, prices.length - 1);
    const up = (HEIGHT - 2 * MARGIN) / span;
    let points = "";
    for (let i = 0; i < prices.length; i++) {
      points += `${Math.round(i * across)},${HEIGHT - MARGIN - Math.round((prices[i] - low) * up)} `;
    }
    this.#line.setAttribute("points", prices.length > 1 ? points : "");
  }
}
