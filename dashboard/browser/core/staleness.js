/**
 * Whether a symbol's quote is as new as it should be, from its own rhythm. Pure.
 *
 * All times are the server's clock (`Meter.serverMs`), in milliseconds. Twin of
 * `dashboard/client/core/staleness.py`.
 *
 * @typedef {"fresh" | "stale" | "closed" | "unknown"} Freshness
 * @typedef {object} Age
 * @property {Freshness} state `unknown` where no quote came yet
 * @property {number | null} age_ms since the feed received its last quote
 *
 * @typedef {{received_ms: number, gaps: number, typical_ms: number}} Rhythm
 */

/** A symbol is stale after so many of its typical gaps, */
const GAPS = 8;
/** but not before this, */
const LEAST_MS = 15_000;
/** and not after this, */
const MOST_MS = 900_000;
/** and after this, where too little is known of its rhythm. */
const UNSURE_MS = 300_000;
/** Gaps from which a rhythm is known. */
const ENOUGH = 3;
/** Of the newest gap in the typical one. */
const WEIGHT = 0.2;
/** A longer gap counts as this: after a night it must not take hours to know the rhythm again. */
const LONGEST_MS = MOST_MS / GAPS;

/** States of a connection in which nothing is known to be current. */
const DEAD = new Set(["stale", "offline", "closed"]);

/** Knows the rhythm of each symbol, and how its source and the connection do. */
export class Staleness {
  /** @type {Map<string, Rhythm>} */
  #rhythms = new Map();
  /** @type {Map<string, string>} */
  #source_of = new Map();
  /** @type {Map<string, string>} */
  #sources = new Map();
  #connection = "connecting";

  /**
   * Take note of when the feed received what is told of a symbol.
   *
   * @param {string} symbol
   * @param {number} received_ms
   * @returns {boolean} whether it is news: a quote also changes by what is learnt of its session, and
   *   is then told with the time of its last event
   */
  heard(symbol, received_ms) {
    const rhythm = this.#rhythms.get(symbol);
    if (!rhythm) {
      this.#rhythms.set(symbol, {received_ms, gaps: 0, typical_ms: 0});
      return true;
    }
    const gap_ms = Math.min(LONGEST_MS, received_ms - rhythm.received_ms);
    if (gap_ms <= 0) return false;
    rhythm.received_ms = received_ms;
    rhythm.typical_ms += (rhythm.gaps ? WEIGHT : 1) * (gap_ms - rhythm.typical_ms);
    rhythm.gaps += 1;
    return true;
  }

  /** Know nothing of a symbol any more. @param {string} symbol */
  forget(symbol) {
    this.#rhythms.delete(symbol);
  }

  /** Take how the sources do. @param {Map<string, string>} states by name */
  sources(states) {
    this.#sources = states;
  }

  /**
   * Take which source tells a symbol; one that is not known is of the only source.
   *
   * @param {Map<string, string>} source_of by symbol
   */
  symbols(source_of) {
    this.#source_of = source_of;
  }

  /**
   * Take how the connection does. To connect again makes nothing current: who was stale stays so
   * until data comes.
   *
   * @param {import("./session.js").State} state
   */
  connection(state) {
    if (state !== "connecting" || !DEAD.has(this.#connection)) this.#connection = state;
  }

  /** @param {string} symbol @param {number} now_ms @returns {Age} how a symbol does */
  of(symbol, now_ms) {
    const rhythm = this.#rhythms.get(symbol);
    if (!rhythm) return {state: "unknown", age_ms: null};
    const age_ms = Math.max(0, now_ms - rhythm.received_ms);
    const state = this.#given(symbol) ?? (now_ms < staleMs(rhythm) ? "fresh" : "stale");
    return {state, age_ms};
  }

  /** @param {string} symbol @returns {Freshness | null} null where it depends on the time */
  #given(symbol) {
    if (DEAD.has(this.#connection)) return "stale";
    const source = this.#source_of.get(symbol) ?? this.#only();
    const state = source === undefined ? undefined : this.#sources.get(source);
    if (state === "closed") return "closed";
    return state === "down" ? "stale" : null;
  }

  #only() {
    return this.#sources.size === 1 ? [...this.#sources.keys()][0] : undefined;
  }
}

/** @param {Rhythm} rhythm @returns {number} from when on it is stale */
function staleMs({received_ms, gaps, typical_ms}) {
  if (gaps < ENOUGH) return received_ms + UNSURE_MS;
  return received_ms + Math.min(MOST_MS, Math.max(LEAST_MS, GAPS * typical_ms));
}
