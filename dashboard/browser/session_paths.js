/**
 * Each symbol's path through its session, kept once for all that draw it on a page: as far as the page
 * has seen it, and what `session_seeds.js` has put before that.
 */

import {Path} from "quotewire/sparkline.js";

/** @typedef {import("./core/quote_book.js").Quote} Quote */

/** What such a path is called over a column, and what it is. */
export const PATH_WORDS = Object.freeze({
  title: "Session",
  hint: "The price within the session: from its beginning where the source tells it, else since this page was opened. "
    + "Sorts by the day’s change.",
});

/** A session that begins so soon after a price of the one before was seen to begin. */
const SEEN_MS = 10_000;

const NONE = new Path();

class SessionPaths {
  /** @type {Map<string, {path: Path, time_ms: number, received_ms: number, offset: number}>} */
  #known = new Map();

  /** The same quote may be told by several. @param {Quote} quote @returns {Path} its symbol's */
  add({symbol, session, last, time_ms, received_ms, offset}) {
    let known = this.#known.get(symbol);
    if (known?.time_ms === time_ms && known.offset === offset) return known.path;
    if (!known) this.#known.set(symbol, known = {path: new Path(), time_ms, received_ms, offset});
    const {path} = known;
    if (session !== path.session) path.isWhole = path.session !== "" && received_ms - known.received_ms < SEEN_MS;
    path.add(session, last, time_ms);
    known.time_ms = time_ms;
    known.received_ms = received_ms;
    known.offset = offset;
    return path;
  }

  /** @param {string} symbol */
  of(symbol) {
    return this.#known.get(symbol)?.path ?? NONE;
  }
}

/** @type {WeakMap<object, SessionPaths>} */
const paths = new WeakMap();

/** @param {import("./connection.js").Connection} connection */
export function pathsOf(connection) {
  let known = paths.get(connection);
  if (!known) paths.set(connection, known = new SessionPaths());
  return known;
}
