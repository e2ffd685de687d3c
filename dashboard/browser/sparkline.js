/** A price's path through its session, as a small line. */

import {svg} from "quotewire/dom.js";

/** Tenths of a pixel: whole numbers are written several times faster than decimals. */
const WIDTH = 560;
const HEIGHT = 220;
const MARGIN = 20;
const POINTS = 48;

/** @typedef {import("./seed_plan.js").Point} Point */

/** Keeps a session's prices, thinned out evenly by time as they grow many. Pure. */
export class Path {
  /** @type {number[]} */
  prices = [];
  /** By the market's clock, of each price. @type {number[]} */
  times_ms = [];
  /** Its date; empty before the first price. */
  session = "";
  /** Whether its prices were added from the session's beginning on. */
  isWhole = false;
  /** Of what was added. */
  #first_ms = Infinity;
  #apart_ms = 0;
  /** @type {readonly Point[]} */
  #seed = [];

  /** A session that is replayed begins anew. @param {string} session @param {number} price @param {number} time_ms */
  add(session, price, time_ms) {
    if (session !== this.session || time_ms < this.#first_ms) this.#begin(session, time_ms);
    const last = this.times_ms.length - 1;
    const isClose = this.times_ms[last] - this.times_ms[last - 1] < this.#apart_ms;
    const at = isClose ? last : last + 1;
    this.prices[at] = price;
    this.times_ms[at] = Math.max(time_ms, this.times_ms[last] ?? time_ms);
    if (at > last) this.#thin();
  }

  /** What the session was before the first price that was added. @param {string} session @param {readonly Point[]} points oldest first */
  seed(session, points) {
    if (session !== this.session || this.#seed.length) return;
    this.#seed = points;
    const before = this.#seedBefore(this.#first_ms);
    this.prices.unshift(...before.map(({price}) => price));
    this.times_ms.unshift(...before.map(({time_ms}) => time_ms));
    this.#thin();
  }

  /** @param {string} session @param {number} time_ms */
  #begin(session, time_ms) {
    if (session !== this.session) this.#seed = [];
    const before = this.#seedBefore(time_ms);
    this.session = session;
    this.prices = before.map(({price}) => price);
    this.times_ms = before.map((point) => point.time_ms);
    this.#first_ms = time_ms;
    this.#apart_ms = 0;
    this.#thin();
  }

  /** @param {number} end_ms */
  #seedBefore(end_ms) {
    return this.#seed.filter(({time_ms}) => time_ms < end_ms);
  }

  /** To half as many at most; the first and the newest stay. */
  #thin() {
    const last = this.times_ms.length - 1;
    if (last + 1 < POINTS) return;
    this.#apart_ms = Math.max(1, 2 * (this.times_ms[last] - this.times_ms[0]) / POINTS);
    let kept_ms = -Infinity;
    const kept = this.times_ms.map((time_ms, at) => {
      const isKept = at === last || time_ms - kept_ms >= this.#apart_ms;
      if (isKept) kept_ms = time_ms;
      return isKept;
    });
    this.prices = this.prices.filter((_, at) => kept[at]);
    this.times_ms = this.times_ms.filter((_, at) => kept[at]);
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
