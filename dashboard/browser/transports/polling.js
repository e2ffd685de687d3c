/** The feed's HTTP API. Thin: what to ask and when is the session's business. */

import {isBody, isError} from "quotewire/core/shapes.js";
import {FeedError} from "quotewire/feed_error.js";

/** A feed may ask a source for 5 s before it answers. */
const TIMEOUT_MS = 6000;
const NOT_THE_FEED = "something in between answered, not the feed";

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
  if (!response.ok && isError(body)) throw new FeedError(body.code, body.message);
  if (!response.ok || !isBody(path, body)) throw new Error(NOT_THE_FEED);
  return body;
}
