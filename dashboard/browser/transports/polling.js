/** The feed's HTTP API. Thin: when to ask is the machine's business. */

import {fromWire, isDenial, seriesFromWire} from "quotewire/protocol.js";

/** @typedef {import("../feed.js").Feed} Feed */

const TIMEOUT_MS = 4000;

/** The feed answered, with an error. */
export class FeedError extends Error {
  constructor(code, message) {
    super(message);
    this.name = "FeedError";
    this.code = code;
  }
}

/** Whether the feed is out of service, not merely unwilling to answer this one request. */
export function isOutage(error) {
  if (!(error instanceof FeedError)) return true;
  return ["not_ready", "internal"].includes(error.code) || isDenial(error.code);
}

/** Whether asking again is of no use, until the page has another token. */
export function isRefusal(error) {
  return error instanceof FeedError && (error.code === "forbidden" || isDenial(error.code));
}

export function isUnknownSymbol(error) {
  return error instanceof FeedError && error.code === "unknown_symbol";
}

export function explain(error) {
  return error instanceof FeedError ? error.message : "the feed cannot be reached";
}

/** @param {Feed} feed */
async function getJson(feed, path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const url = `${feed.url}/api/${path}?${new URLSearchParams(given)}`;
  // Always asked anew, but what did not change is not sent again: 304, by its ETag.
  const response = await fetch(url, {
    cache: "no-cache", headers: feed.headers, signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const body = await response.json();
  if (!response.ok) throw new FeedError(body.code, body.message);
  return body;
}

/** @param {Feed} feed @returns {Promise<import("../protocol.js").SymbolInfo[]>} */
export async function fetchSymbols(feed) {
  return (await getJson(feed, "symbols")).symbols;
}

/** @param {Feed} feed @param {string[]} symbols */
export async function fetchQuotes(feed, symbols) {
  return fromWire(await getJson(feed, "quotes", {symbols: symbols.join(",")}));
}

/** @param {Feed} feed */
export async function fetchStatus(feed) {
  return fromWire(await getJson(feed, "status"));
}

/**
 * @param {Feed} feed
 * @param {string} symbol
 * @param {string} interval
 * @param {{start?: number, end?: number, limit?: number}} [range]
 */
export async function fetchBars(feed, symbol, interval, {start, end, limit} = {}) {
  return seriesFromWire(await getJson(feed, "bars", {symbol, interval, start, end, limit}));
}
