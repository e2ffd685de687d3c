/**
 * Where a session's price has been before a page was opened: which bars tell it, and for which symbols
 * they are asked for. Pure, but for what the browser knows of zones.
 *
 * @typedef {import("./protocol.js").SymbolInfo} SymbolInfo
 * @typedef {import("./protocol.js").SourceStatus} SourceStatus
 * @typedef {{time_ms: number, price: number}} Point
 * @typedef {{start_ms: number[], open: number[], close: number[], final: boolean[]}} Bars columns, oldest first
 */

import {wallClock, zoneOf} from "quotewire/zone.js";

/** A session of stocks has 26 of them: more are not seen in a line of 56 pixels. */
const INTERVAL = "15m";
const INTERVAL_MS = 15 * 60_000;
/** The longest day has 25 hours. */
const MOST_BARS = 100;
/** The first question, and another one after an outage. */
const MOST_TRIES = 2;

/** @param {string} symbol @returns {Record<string, unknown>} what `/api/bars` is asked */
export function seedQuery(symbol) {
  return {symbol, interval: INTERVAL, limit: MOST_BARS};
}

/**
 * The session's price where its bars end, and where the first one begins. A bar that can still change
 * tells nothing yet.
 *
 * @param {Bars} bars
 * @param {string} session its date
 * @param {SymbolInfo} info
 * @returns {Point[]}
 */
export function seedOf({start_ms, open, close, final}, session, {zone}) {
  const dated = zoneOf("exchange", zone);
  const within = start_ms.flatMap((start, at) =>
    (final[at] && wallClock(dated, start).date === session ? at : []));
  const ends = within.map((at) => ({time_ms: start_ms[at] + INTERVAL_MS, price: close[at]}));
  const [first] = within;
  return ends.length ? [{time_ms: start_ms[first], price: open[first]}, ...ends] : [];
}

/**
 * Whether a question to a symbol's source spends nothing that its vendor counts; not while nobody knows.
 *
 * @param {SymbolInfo | undefined} info
 * @param {readonly SourceStatus[]} sources
 */
export function isFree(info, sources) {
  const told = sources.find(({source}) => source === info?.source);
  return told !== undefined && !told.budgets?.length;
}

/** Each symbol is asked for once a session; where that failed, once more after an outage. */
export class SeedPlan {
  /** @type {Map<string, {session: string, tries: number, hasFailed: boolean, isDue: boolean}>} */
  #asked = new Map();

  /** @param {string} symbol @param {string} session */
  isDue(symbol, session) {
    const asked = this.#asked.get(symbol);
    return asked?.session !== session || asked.isDue;
  }

  /** @param {string} symbol @param {string} session */
  asked(symbol, session) {
    const before = this.#asked.get(symbol);
    const tries = before?.session === session ? before.tries + 1 : 1;
    this.#asked.set(symbol, {session, tries, hasFailed: false, isDue: false});
  }

  /** @param {string} symbol */
  failed(symbol) {
    const asked = this.#asked.get(symbol);
    if (asked) asked.hasFailed = true;
  }

  /** The feed is back. */
  returned() {
    for (const asked of this.#asked.values()) asked.isDue = asked.hasFailed && asked.tries < MOST_TRIES;
  }
}
