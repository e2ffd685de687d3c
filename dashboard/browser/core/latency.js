/**
 * How long data takes and how much of it comes. Pure: the time is an argument.
 *
 * Two spans are measured. *Event to received* is from the market's event to the feed, both as the
 * feed tells them. *Received to shown* is from the feed to the screen: it needs the server's clock,
 * which `ClockOffset` estimates. All times are milliseconds. Twin of
 * `dashboard/client/core/latency.py`.
 *
 * @typedef {{p50_ms: number | null, p95_ms: number | null, p99_ms: number | null}} Reading
 *   percentiles of one span; null where nothing was measured
 *
 * @typedef {object} Facts what a meter knows at a time
 * @property {Reading} event_to_received from the market to the feed
 * @property {Reading} received_to_shown from the feed to the screen
 * @property {number | null} round_trip_ms least round trip of the last pings
 * @property {number | null} clock_offset_ms the server's clock less ours
 * @property {number} per_second rows a second that brought something new
 * @property {number | null} last_message_age_ms since anything came
 * @property {number | null} last_data_age_ms since something new came
 *
 * @typedef {{symbol: string, time_ms: number, received_ms: number}} Timed a quote or a trade
 */

const SAMPLES = 512;
export const PINGS = 16;
const RATE_SECONDS = 5;
/** An event that is older than this when the feed receives it was no live one. */
const REPLAYED_MS = 86_400_000;

/** What came, and what was wrong with it. */
export class Counts {
  /** Rows, whatever became of them. */
  received = 0;
  /** Changes that rows stand for beside the one they tell. */
  conflated = 0;
  /** Gaps in a lossless channel, mended or not. */
  gaps = 0;
  /** Rows that were pushed again. */
  duplicates = 0;
  /** Rows that were older than what is held. */
  late = 0;
  /** Connections after the first. */
  reconnects = 0;
  /** Length of all messages. */
  bytes = 0;
}

/** The server's clock less ours, from the ping with the least round trip of the last few. */
export class ClockOffset {
  /** @type {{round_trip_ms: number, offset_ms: number}[]} */
  #pings = [];

  /**
   * Add a ping: when it was sent and answered by our clock, and the server's clock between.
   *
   * @param {number} sent_ms
   * @param {number} server_ms
   * @param {number} answered_ms
   */
  add(sent_ms, server_ms, answered_ms) {
    const round_trip_ms = answered_ms - sent_ms;
    const offset_ms = server_ms - (sent_ms + round_trip_ms / 2);
    this.#pings = [...this.#pings, {round_trip_ms, offset_ms}].slice(-PINGS);
  }

  /** Know nothing: another server may answer from here on. */
  clear() {
    this.#pings = [];
  }

  get length() {
    return this.#pings.length;
  }

  /** @returns {number | null} the least round trip, null before the first ping was answered */
  get round_trip_ms() {
    return this.#best()?.round_trip_ms ?? null;
  }

  /** @returns {number | null} what to add to our clock to have the server's */
  get offset_ms() {
    return this.#best()?.offset_ms ?? null;
  }

  /** @returns {{round_trip_ms: number, offset_ms: number} | undefined} */
  #best() {
    return this.#pings.reduce(
      (a, b) => (b.round_trip_ms < a.round_trip_ms ? b : a),
      this.#pings[0],
    );
  }
}

/** Percentiles over the last samples. */
export class Percentiles {
  /** @type {number[]} */
  #samples = [];
  #next = 0;
  #size;

  /** @param {number} [size] samples that are kept */
  constructor(size = SAMPLES) {
    this.#size = size;
  }

  /** Add a sample; beyond the window the oldest goes. @param {number} value */
  add(value) {
    this.#samples[this.#next] = value;
    this.#next = (this.#next + 1) % this.#size;
  }

  clear() {
    this.#samples = [];
    this.#next = 0;
  }

  /** @param {number} percent @returns {number | null} by nearest rank */
  at(percent) {
    return rank(this.#ordered(), percent);
  }

  /** @returns {Reading} */
  read() {
    const ordered = this.#ordered();
    return {p50_ms: rank(ordered, 50), p95_ms: rank(ordered, 95), p99_ms: rank(ordered, 99)};
  }

  #ordered() {
    return [...this.#samples].sort((a, b) => a - b);
  }
}

/** Events a second over the last whole seconds, so that the running one makes no jump. */
export class Rate {
  /** @type {Map<number, number>} count by second */
  #seconds = new Map();

  /** @param {number} now_ms @param {number} [count] */
  add(now_ms, count = 1) {
    const second = Math.floor(now_ms / 1000);
    const held = this.#seconds.get(second);
    this.#seconds.set(second, (held ?? 0) + count);
    if (held !== undefined) return;
    for (const old of this.#seconds.keys()) {
      if (old < second - RATE_SECONDS) this.#seconds.delete(old);
    }
  }

  /** @param {number} now_ms */
  perSecond(now_ms) {
    const second = Math.floor(now_ms / 1000);
    let sum = 0;
    for (const [at, count] of this.#seconds) {
      if (at < second && at >= second - RATE_SECONDS) sum += count;
    }
    return sum / RATE_SECONDS;
  }
}

/**
 * What a connection counts and measures. It is cheap: of each message one row is measured, the last
 * that changed something.
 */
export class Meter {
  /** Shared with the books, which count rows. */
  counts = new Counts();
  /** @type {Set<string>} symbols whose event times are no live ones */
  replayed = new Set();
  #clock = new ClockOffset();
  #event = new Percentiles();
  #shown = new Percentiles();
  #rate = new Rate();
  /** @type {{id: number, sent_ms: number} | null} */
  #ping = null;
  /** @type {number[]} receive times of what is applied and not yet shown */
  #unshown = [];
  #seen = true;
  /** @type {number | null} */
  #message_ms = null;
  /** @type {number | null} */
  #data_ms = null;
  #connections = 0;

  /** Count a message, whatever it is. @param {number} now_ms @param {number} [bytes] */
  message(now_ms, bytes = 0) {
    this.#message_ms = now_ms;
    this.counts.bytes += bytes;
  }

  /**
   * Count rows that brought something new, and measure one of them.
   *
   * @param {number} now_ms
   * @param {number} rows how many
   * @param {Timed | null} [newest] the last of them; null where none is a pushed event: state as
   *   it is, which a snapshot or a poll tells, is old by its nature
   */
  applied(now_ms, rows, newest = null) {
    if (!rows) return;
    this.#rate.add(now_ms, rows);
    this.#data_ms = now_ms;
    if (!newest) return;
    const span_ms = newest.received_ms - newest.time_ms;
    if (span_ms < REPLAYED_MS && !this.replayed.has(newest.symbol)) {
      this.#event.add(Math.max(0, span_ms));
    }
    if (!this.#seen) return;
    this.#unshown.push(newest.received_ms);
    if (this.#unshown.length > SAMPLES) this.#unshown.shift();
  }

  /** Take note that all that was applied is on the screen now. @param {number} now_ms */
  shown(now_ms) {
    this.handed(now_ms, this.#unshown);
    this.#unshown = [];
  }

  /**
   * Measure what is handed over one by one, by when the feed received it.
   *
   * @param {number} now_ms
   * @param {Iterable<number>} received
   */
  handed(now_ms, received) {
    const offset_ms = this.#clock.offset_ms;
    if (offset_ms === null) return;
    for (const received_ms of received) {
      this.#shown.add(Math.max(0, now_ms + offset_ms - received_ms));
    }
  }

  /** Take note that the page is seen or not: a hidden one shows nothing. @param {boolean} seen */
  seen(seen) {
    this.#seen = seen;
    this.#unshown = [];
  }

  /**
   * Take note of a ping; it takes the place of one that was not answered.
   *
   * @param {number} id
   * @param {number} now_ms
   */
  pinged(id, now_ms) {
    this.#ping = {id, sent_ms: now_ms};
  }

  /**
   * Take note of an answer; one that nothing was asked for is no measure.
   *
   * @param {number} id
   * @param {number} server_ms
   * @param {number} now_ms
   */
  ponged(id, server_ms, now_ms) {
    if (this.#ping?.id !== id) return;
    this.#clock.add(this.#ping.sent_ms, server_ms, now_ms);
    this.#ping = null;
  }

  /** Begin anew at a connection: another server may answer, with another clock. */
  welcomed() {
    this.#connections += 1;
    this.counts.reconnects = this.#connections - 1;
    this.#ping = null;
    this.#clock.clear();
    this.#shown.clear();
    this.#unshown = [];
  }

  /** @returns {number} pings of this connection that count for the clock, `PINGS` at most */
  get answered_pings() {
    return this.#clock.length;
  }

  /** @param {number} now_ms @returns {number} the server's time; ours where it is not known */
  serverMs(now_ms) {
    return now_ms + (this.#clock.offset_ms ?? 0);
  }

  /** @param {number} now_ms @returns {Facts} all that is measured */
  facts(now_ms) {
    return {
      event_to_received: this.#event.read(),
      received_to_shown: this.#shown.read(),
      round_trip_ms: this.#clock.round_trip_ms,
      clock_offset_ms: this.#clock.offset_ms,
      per_second: this.#rate.perSecond(now_ms),
      last_message_age_ms: since(this.#message_ms, now_ms),
      last_data_age_ms: since(this.#data_ms, now_ms),
    };
  }
}

/** @param {number[]} ordered @param {number} percent @returns {number | null} */
function rank(ordered, percent) {
  return ordered[Math.max(0, Math.ceil((percent / 100) * ordered.length) - 1)] ?? null;
}

/** @param {number | null} then_ms @param {number} now_ms @returns {number | null} */
function since(then_ms, now_ms) {
  return then_ms === null ? null : now_ms - then_ms;
}
