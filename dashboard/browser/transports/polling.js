/** The feed's HTTP API. Thin: what to ask and when is the session's business. */

import {FeedError} from "quotewire/feed_error.js";

const TIMEOUT_MS = 4000;

/**
 * @param {import("../feed.js").Feed} feed
 * @param {string} path below `/api/`
 * @param {Record<string, unknown>} [query] what is undefined is left out
 * @returns {Promise<any>} the body
 */
export async function get(feed, path, query = {}) {
  const given = Object.entries(query).flatMap(([name, value]) =>
    (value === undefined ? [] : [[name, String(value)]]));
  const url = `${feed.url}/api/${path}?${new URLSearchParams(given)}`;
  // Always asked anew, but what did not change is not sent again: 304, by its ETag.
  const response = await fetch(url, {
    cache: "no-cache", headers: feed.headers, signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const body = await response.json();
  if (!response.ok) throw new FeedError(body.code, body.message);
  return body;
}
