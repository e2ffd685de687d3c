/** The feed's HTTP API. Thin: what to ask and when is the session's business. */

import {isBody, isError} from "quotewire/core/shapes.js";
import {FeedError} from "quotewire/feed_error.js";

/** A feed may ask a source for 5 s before it answers. */
const TIMEOUT_MS = 6000;
const NO_CONTENT = 204;
const NOT_THE_FEED = "something in between answered, not the feed";

/**
 * @param {import("../feed.js").Feed} feed
 * @param {string} path below `/api/`
 * @param {Record<string, unknown>} [query] what is undefined is left out
 * @returns {Promise<any>} the body
 */
export async function get(feed, path, query = {}) {
  const body = await ask(feed, path, query, {headers: feed.headers});
  if (!isBody(path, body)) throw new Error(NOT_THE_FEED);
  return body;
}

/**
 * @param {import("../feed.js").Feed} feed
 * @param {import("../environment.js").Method} method
 * @param {string} path below `/api/`
 * @param {import("../environment.js").Change} change
 * @returns {Promise<any>} the body, null where there is none
 */
export function change(feed, method, path, {query = {}, body}) {
  if (body === undefined) return ask(feed, path, query, {method, headers: feed.headers});
  const headers = {...feed.headers, "Content-Type": "application/json"};
  return ask(feed, path, query, {method, headers, body: JSON.stringify(body)});
}

/**
 * @param {import("../feed.js").Feed} feed
 * @param {string} path
 * @param {Record<string, unknown>} query
 * @param {RequestInit} how
 */
async function ask(feed, path, query, how) {
  const given = Object.entries(query).flatMap(([name, value]) =>
    (value === undefined ? [] : [[name, String(value)]]));
  const url = `${feed.url}/api/${path}?${new URLSearchParams(given)}`;
  // Always asked anew, but what did not change is not sent again: 304, by its ETag.
  const response = await fetch(url, {
    cache: "no-cache", signal: AbortSignal.timeout(TIMEOUT_MS), ...how,
  });
  if (response.status === NO_CONTENT) return null;
  const body = await response.json();
  if (!response.ok && isError(body)) throw new FeedError(body.code, body.message);
  if (!response.ok) throw new Error(NOT_THE_FEED);
  return body;
}
