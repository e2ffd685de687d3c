/** The feed's HTTP API. Thin: when to ask is the machine's business. */

import {fromWire, seriesFromWire} from "quotewire/protocol.js";

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
  return !(error instanceof FeedError) || ["not_ready", "internal"].includes(error.code);
}

export function isUnknownSymbol(error) {
  return error instanceof FeedError && error.code === "unknown_symbol";
}

export function explain(error) {
  return error instanceof FeedError ? error.message : "the feed cannot be reached";
}

async function getJson(feedUrl, path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const url = `${feedUrl}/api/${path}?${new URLSearchParams(given)}`;
  // Always asked anew, but what did not change is not sent again: 304, by its ETag.
  const response = await fetch(url, {cache: "no-cache", signal: AbortSignal.timeout(TIMEOUT_MS)});
  const body = await response.json();
  if (!response.ok) throw new FeedError(body.code, body.message);
  return body;
}

/** @returns {Promise<import("../protocol.js").SymbolInfo[]>} */
export async function fetchSymbols(feedUrl) {
  return (await getJson(feedUrl, "symbols")).symbols;
}

export async function fetchQuotes(feedUrl, symbols) {
  return fromWire(await getJson(feedUrl, "quotes", {symbols: symbols.join(",")}));
}

export async function fetchStatus(feedUrl) {
  return fromWire(await getJson(feedUrl, "status"));
}

/**
 * @param {string} feedUrl
 * @param {string} symbol
 * @param {string} interval
 * @param {{start?: number, end?: number, limit?: number}} [range]
 */
export async function fetchBars(feedUrl, symbol, interval, {start, end, limit} = {}) {
  return seriesFromWire(await getJson(feedUrl, "bars", {symbol, interval, start, end, limit}));
}
