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
  /** By the market's clock, of each price. @type {number[]} */
  times_ms = [];
  /** @type {string | null} */
  #session = null;
  #step = 1;
  #skipped = 0;

  /** A session that is replayed begins anew. @param {string} session @param {number} price @param {number} time_ms */
  add(session, price, time_ms) {
    if (session !== this.#session || time_ms < this.times_ms[0]) {
      this.#session = session;
      this.prices = [];
      this.times_ms = [];
      this.#step = 1;
    }
    this.#skipped += 1;
    const last = this.prices.length - 1;
    const at = this.#skipped < this.#step ? last : last + 1;
    this.prices[at] = price;
    this.times_ms[at] = Math.max(time_ms, this.times_ms[last] ?? time_ms);
    if (at === last) return;
    this.#skipped = 0;
    if (this.prices.length < POINTS) return;
    const isKept = (/** @type {number} */ _, /** @type {number} */ i) => i % 2 === 0 || i === at;
    this.prices = this.prices.filter(isKept);
    this.times_ms = this.times_ms.filter(isKept);
    this.#step *= 2;
  }
}

export class Sparkline {
  #line = svg("polyline",
    {fill: "none", "stroke-linejoin": "round", "vector-effect": "non-scaling-stroke"});
  element = svg("svg", {
    class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none",
    "aria-hidden": "true",
  }, this.#line);

  /** A time in which nothing was seen is as wide as it was long. @param {Path} path */
  draw({prices, times_ms}) {
    const low = Math.min(...prices);
    const span = Math.max(...prices) - low || 1;
    const across = WIDTH / (times_ms[times_ms.length - 1] - times_ms[0] || 1);
    const up = (HEIGHT - 2 * MARGIN) / span;
    let points = "";
    for (let i = 0; i < prices.length; i++) {
      points += `${Math.round((times_ms[i] - times_ms[0]) * across)},${HEIGHT - MARGIN - Math.round((prices[i] - low) * up)} `;
    }
    this.#line.setAttribute("points", prices.length > 1 ? points : "");
  }
}
