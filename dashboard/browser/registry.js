/** One connection per page and feed, shared by the elements that acquire it. */

import {Connection} from "quotewire/connection.js";
import {expose} from "quotewire/debug.js";
import {page} from "quotewire/page.js";

/** An element that is drawn anew lets go and takes hold again: the connection survives that. */
const LINGER_MS = 1000;

/** @type {Map<string, {connection: Connection, users: number, unlink: () => void}>} */
const shared = new Map();

/** @param {string} feedUrl @param {string} [token] what the feed lets the page in with */
export function acquire(feedUrl, token = "") {
  let entry = shared.get(feedUrl);
  if (!entry) {
    const connection = new Connection(feedUrl, {mode: page.mode, token});
    connection.start();
    entry = {connection, users: 0, unlink: page.onMode((mode) => connection.setMode(mode))};
    shared.set(feedUrl, entry);
    expose("connection", () => facts(connection));
  }
  entry.connection.setToken(token);
  entry.users += 1;
  return entry.connection;
}

export function release(feedUrl) {
  const entry = shared.get(feedUrl);
  if (!entry) return;
  entry.users -= 1;
  setTimeout(() => {
    if (entry.users > 0 || shared.get(feedUrl) !== entry) return;
    shared.delete(feedUrl);
    entry.unlink();
    entry.connection.stop();
  }, LINGER_MS);
}

function facts(connection) {
  return {
    feedUrl: connection.feedUrl,
    mode: connection.mode,
    ...connection.state,
    timeline: connection.timeline,
    sources: connection.sources,
    stats: connection.stats(),
  };
}
