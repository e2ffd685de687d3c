/** Each symbol's path through its session as far as this page has seen it, kept once for all that draw it on a page. */

import {Path} from "quotewire/sparkline.js";

/** @typedef {import("./core/quote_book.js").Quote} Quote */

/** What such a path is called over a column, and what it is. */
export const PATH_WORDS = Object.freeze({
  title: "Seen live",
  hint: "The price as seen since this page was opened, within the session. Sorts by the day’s change.",
});

const NONE = new Path();

class SessionPaths {
  /** @type {Map<string, {path: Path, time_ms: number, offset: number}>} */
  #known = new Map();

  /** The same quote may be told by several. @param {Quote} quote */
  add({symbol, session, last, time_ms, offset}) {
    let known = this.#known.get(symbol);
    if (known?.time_ms === time_ms && known.offset === offset) return;
    if (!known) this.#known.set(symbol, known = {path: new Path(), time_ms, offset});
    known.path.add(session, last, time_ms);
    Object.assign(known, {time_ms, offset});
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
