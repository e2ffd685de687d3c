/**
 * When history is loaded, and what becomes of it: at the beginning, over gaps, and for polls. Pure.
 *
 * A series is loaded once it is subscribed to, so that no bar is missed between the two. What is
 * older than what was loaded first is loaded where it is wanted, beside all else. Twin of
 * `dashboard/client/core/history.py`.
 *
 * @typedef {import("./session.js").Action} Action
 * @typedef {import("./session.js").Channel} Channel
 * @typedef {import("./loads.js").Series} Series
 * @typedef {import("./machine.js").Machine} Machine
 */

import {RETRIED} from "quotewire/core/codes.js";
import {Extents} from "quotewire/core/extents.js";
import {Loads, seriesKey} from "quotewire/core/loads.js";
import {DENIALS} from "quotewire/core/login.js";

/** Asked for at most, to mend a gap. */
const MOST_BARS = 5000;
const MOST_TRADES = 10000;
/** Asked for by each poll; as many as there are where those do not reach back to what is held. */
const POLLED_TRADES = 500;

/** Asked for to know where a series stands of which no history is wanted. */
const LEAST_BARS = 2;

/** A refusal counts as so many failures: it is asked for again, but seldom. */
const REFUSED = 6;

const PASSING = new Set(["unreachable", "timeout", ...DENIALS, ...RETRIED]);

/** Loads what is wanted. */
export class History {
  #wanted;
  #books;
  #loads;
  #extents;
  /** @type {Set<string>} keys of series */
  #far = new Set();

  /**
   * @param {import("./subscriptions.js").Subscriptions} wanted
   * @param {import("./books.js").Books} books
   * @param {() => number} random uniform in [0, 1), for the jitter of another try
   */
  constructor(wanted, books, random) {
    this.#wanted = wanted;
    this.#books = books;
    this.#loads = new Loads(random);
    this.#extents = new Extents(wanted, books);
  }

  get size() {
    return this.#loads.size + this.#extents.size;
  }

  /** When the next `tick` is due, or null. */
  deadline() {
    return this.#loads.deadline();
  }

  /** Wait for nothing any more. */
  stop() {
    this.#loads.clear();
  }

  /** Ask again for what has failed a while ago. @param {number} now_ms @param {Machine} machine */
  tick(now_ms, machine) {
    if (machine.isHidden) return [];
    return this.#askAll(now_ms, this.#loads.tick(now_ms), machine);
  }

  /**
   * Load what is missing of series that are pushed from now on.
   *
   * @param {number} now_ms
   * @param {Channel} channel
   * @param {string | null} interval
   * @param {string[]} symbols
   * @param {Machine} machine
   * @returns {Action[]}
   */
  subscribed(now_ms, channel, interval, symbols, machine) {
    if (channel === "quotes") return [];
    const found = symbols.map((symbol) => ({channel, symbol, interval}));
    const missing = found.filter((series) => this.#isMissing(series));
    return this.#need([...missing, ...this.#extents.short(found)], now_ms, machine);
  }

  /**
   * Load the history of bars that are followed already, where it is wanted now.
   *
   * @param {number} now_ms
   * @param {string} interval
   * @param {string[]} symbols
   * @param {Machine} machine
   */
  wanted(now_ms, interval, symbols, machine) {
    return this.subscribed(now_ms, "bars", interval, symbols, machine);
  }

  /** Whether there may be older bars. @param {string} symbol @param {string} interval */
  hasOlder(symbol, interval) {
    return this.#extents.hasOlder(symbol, interval);
  }

  /**
   * Load so many bars before the earliest that is held.
   *
   * @param {number} now_ms
   * @param {string} symbol
   * @param {string} interval
   * @param {number} bars
   * @param {Machine} machine
   */
  older(now_ms, symbol, interval, bars, machine) {
    if (!this.hasOlder(symbol, interval)) return [];
    this.#extents.extend(symbol, interval, bars);
    const series = {channel: /** @type {const} */ ("bars"), symbol, interval};
    return this.#need(this.#extents.short([series]), now_ms, machine);
  }

  /** Load what mends the gaps that were found. @param {number} now_ms @param {Machine} machine */
  mend(now_ms, machine) {
    if (!this.#books.needs.length) return [];
    const needs = this.#drain().filter((series) => this.#isMissing(series));
    return this.#need(needs, now_ms, machine);
  }

  /** Load what would be pushed if there was a link. @param {number} now_ms @param {Machine} machine */
  polled(now_ms, machine) {
    /** @type {("trades" | "bars")[]} */
    const channels = ["trades", "bars"];
    const series = channels.flatMap((channel) =>
      this.#wanted.wanted(now_ms, channel).map((one) => ({channel, ...one})));
    return this.#need(series, now_ms, machine);
  }

  /**
   * Take an answer.
   *
   * @param {number} now_ms
   * @param {number} id
   * @param {any} body
   * @param {Machine} machine
   * @returns {Action[]}
   */
  loaded(now_ms, id, body, machine) {
    const running = this.#loads.take(id);
    if (!running) return [];
    const {series, start_ms, indicators, again} = running;
    if (series.older) return this.#olderLoaded(now_ms, running, body, machine);
    if (start_ms === null && series.channel === "bars") {
      this.#extents.loaded(series, indicators, body.more ?? false);
    }
    if (series.channel === "trades" && this.#fallsShort(series, body)) {
      this.#far.add(seriesKey(series));
      this.#loads.drop(series);
      return this.#need([series], now_ms, machine);
    }
    this.#far.delete(seriesKey(series));
    const actions = this.#books.loaded(now_ms, series, body, running);
    const keys = this.#drain().map(seriesKey);
    if (keys.includes(seriesKey(series)) && this.#books.hasGap(series)) {
      this.#loads.failed(now_ms, series);
      return actions;
    }
    this.#loads.drop(series);
    const needs = [...(again ? [series] : []), ...this.#extents.short([series])];
    return [...actions, ...this.#need(needs, now_ms, machine)];
  }

  /**
   * @param {number} now_ms
   * @param {import("./loads.js").Running} running
   * @param {any} body
   * @param {Machine} machine
   * @returns {Action[]}
   */
  #olderLoaded(now_ms, running, body, machine) {
    const {series, end_ms} = running;
    this.#loads.drop(series);
    // The series has begun anew since, and is loaded from the beginning.
    if (!this.#extents.isOf(body)) return [];
    /** @type {Action[]} */
    let actions = [];
    if (end_ms === this.#extents.endOf(series)) {
      this.#extents.olderLoaded(series, body);
      actions = this.#books.loaded(now_ms, series, body, running);
    }
    if (!body.start_ms.length) return actions;
    return [...actions, ...this.#need(this.#extents.short([series]), now_ms, machine)];
  }

  /**
   * Take note that there is no answer.
   *
   * @param {number} now_ms
   * @param {number} id
   * @param {string} code
   * @param {string} reason
   * @returns {Action[]}
   */
  failed(now_ms, id, code, reason) {
    const running = this.#loads.take(id);
    if (!running) return [];
    const {series} = running;
    if (PASSING.has(code)) {
      this.#loads.failed(now_ms, series, {code, reason});
      return this.#trouble(series);
    }
    if (series.older) {
      this.#loads.drop(series);
      return [];
    }
    if (this.#books.hasGap(series)) {
      this.#loads.drop(series);
      return this.#books.giveUp(now_ms, series, code, reason);
    }
    this.#loads.failed(now_ms, series, {code, reason}, REFUSED);
    return this.#trouble(series);
  }

  /** Why the history of bars is not there; null where it may come. @param {string} symbol @param {string} interval */
  failure(symbol, interval) {
    if (this.#books.isLoaded(symbol, interval)) return null;
    return this.#loads.failure({channel: "bars", symbol, interval});
  }

  /** @param {Series} series @returns {Action[]} */
  #trouble(series) {
    const why = this.#loads.failure(series);
    if (why === null) return [];
    const {symbol, interval} = series;
    const named = interval === null ? "trades" : `bars of ${interval}`;
    const reason = `history of its ${named} cannot be had: ${why.reason}`;
    return [{do: "trouble", symbol, code: why.code, reason}];
  }

  /**
   * Let go what is held, and wait for nothing of it.
   *
   * @param {Channel} channel
   * @param {string | null} interval
   * @param {string} symbol
   */
  forget(channel, interval, symbol) {
    this.#books.forget(channel, interval, symbol);
    if (channel === "quotes") return;
    for (const older of [false, true]) this.#loads.drop({channel, symbol, interval, older});
    this.#far.delete(seriesKey({channel, symbol, interval}));
    this.#extents.forget(symbol, interval);
  }

  #drain() {
    const {needs} = this.#books;
    this.#books.needs = [];
    return needs;
  }

  /** @param {Series[]} needed @param {number} now_ms @param {Machine} machine */
  #need(needed, now_ms, machine) {
    const ready = needed.filter((series) => this.#loads.need(series));
    return this.#askAll(now_ms, ready, machine);
  }

  /**
   * @param {number} now_ms
   * @param {Series[]} ready
   * @param {Machine} machine
   * @returns {Action[]}
   */
  #askAll(now_ms, ready, machine) {
    /** @type {Action[]} */
    const actions = [];
    for (const series of ready) {
      const {channel, interval, symbol, older} = series;
      const isHeld = this.#wanted.holds(channel, interval, symbol);
      if (isHeld && (!older || this.#extents.missing(series))) {
        actions.push(this.#ask(now_ms, series, machine));
      } else this.#loads.drop(series);
    }
    return actions;
  }

  /**
   * @param {number} now_ms
   * @param {Series} series
   * @param {Machine} machine
   * @returns {import("./session.js").Load}
   */
  #ask(now_ms, series, machine) {
    const {channel, symbol, interval} = series;
    const indicators = interval === null ? [] : this.#wanted.indicators(interval, symbol);
    const span = this.#span(series);
    return {
      do: "load",
      way: machine.liveWay === "relay" ? "relay" : "polling",
      id: this.#loads.begin(now_ms, series, span, indicators),
      channel, symbol, interval, ...span, indicators,
    };
  }

  /** From where to where to ask, and for how many at most. @param {Series} series */
  #span(series) {
    const {symbol, interval, older} = series;
    const newest = {start_ms: null, end_ms: null};
    if (interval === null) {
      const isFar = this.#far.has(seriesKey(series)) || this.#books.hasGap(series);
      return {...newest, limit: isFar ? MOST_TRADES : POLLED_TRADES};
    }
    const limit = this.#extents.missing(series);
    if (older) return {...newest, end_ms: this.#extents.endOf(series), limit};
    const first = this.#extents.isFirst(series);
    const start_ms = first ? null : this.#books.resumeFrom(symbol, interval);
    if (start_ms !== null) return {...newest, start_ms, limit: MOST_BARS};
    return {...newest, limit: Math.max(this.#extents.goal(symbol, interval), LEAST_BARS)};
  }

  /**
   * Whether a poll's trades end after what is held, and older ones can be asked for.
   *
   * @param {Series} series
   * @param {any} body
   */
  #fallsShort(series, body) {
    if (this.#far.has(seriesKey(series)) || this.#books.hasGap(series)) return false;
    return body.offsets.length >= POLLED_TRADES && !this.#books.reaches(body);
  }

  /** @param {Series} series */
  #isMissing(series) {
    return this.#books.hasGap(series) || this.#extents.isFirst(series);
  }
}
