/** One connection per page and feed, shared by the elements that acquire it. */

import {Connection} from "quotewire/connection.js";
import {expose} from "quotewire/debug.js";
import {settings} from "quotewire/settings.js";

/** @typedef {import("./environment.js").Transport} Transport */

/** An element that is drawn anew lets go and takes hold again: the connection survives that. */
const LINGER_MS = 1000;

/** @type {Map<string, {connection: Connection, users: number, unlink: () => void}>} */
const shared = new Map();
/** @type {Map<string, Transport[]>} those on offer, by feed */
const relays = new Map();

/**
 * @param {string} feedUrl
 * @param {string} [token] what the feed lets the page in with
 * @param {boolean} [renewable] whether elements can ask for another one; the first one tells for all
 */
export function acquire(feedUrl, token = "", renewable = false) {
  let entry = shared.get(feedUrl);
  if (!entry) {
    const connection =
      new Connection(feedUrl, {settings: {...settings.values, renewable}, token});
    connection.setRelay(relays.get(feedUrl)?.at(-1) ?? null);
    connection.start();
    const unlinks = [
      settings.onChange((now) => connection.configure(now)),
      expose("connection", () => facts(connection)),
    ];
    entry = {connection, users: 0, unlink: () => unlinks.forEach((unlink) => unlink())};
    shared.set(feedUrl, entry);
  }
  entry.connection.setToken(token);
  entry.users += 1;
  return entry.connection;
}

/** @param {string} feedUrl */
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

/**
 * Offer a way to a feed through the page's own server, for where its browser cannot reach the feed.
 * Several may be on offer: the newest is used.
 *
 * @param {string} feedUrl
 * @param {Transport} relay
 * @returns {() => void} withdraws it: nothing can be sent over it any more
 */
export function offerRelay(feedUrl, relay) {
  const use = (/** @type {Transport[]} */ offered) => {
    const before = relays.get(feedUrl)?.at(-1);
    relays.set(feedUrl, offered);
    if (offered.at(-1) !== before) shared.get(feedUrl)?.connection.setRelay(offered.at(-1) ?? null);
  };
  const offered = () => relays.get(feedUrl) ?? [];
  use([...offered(), relay]);
  return () => use(offered().filter((other) => other !== relay));
}

/** @param {Connection} connection */
function facts(connection) {
  return {
    feedUrl: connection.feedUrl,
    settings: settings.values,
    ...connection.state,
    timeline: connection.timeline.entries,
    sources: connection.sources,
    stats: connection.stats(),
  };
}
