/**
 * What is wanted, by whom how often, and what of it the feed was asked for. Pure.
 *
 * Wants are intent: they are counted, outlive links and are replayed on each. Of one series the feed
 * keeps one subscription a connection, so that several wants of it become one: with all indicators,
 * at the highest rate. Twin of `dashboard/client/core/subscriptions.py`.
 *
 * @typedef {import("./session.js").Want} Want
 * @typedef {import("./session.js").Channel} Channel
 *
 * @typedef {{do: "forget", channel: Channel, interval: string | null, symbol: string}} Forget let go
 *   what is held, nobody wants it any more
 * @typedef {import("./asks.js").Ask | import("./asks.js").Unask | Forget
 *   | import("./session.js").Failed} Action
 */

import {asks, unasks} from "quotewire/core/asks.js";
import {Entry, isDue} from "quotewire/core/entries.js";

/** What another token may allow. */
const TOKEN_REFUSALS = new Set(["forbidden", "auth_required", "auth_failed", "auth_expired"]);

/** All that is wanted of one feed. */
export class Subscriptions {
  #max_hz;
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  #isLinked = false;
  /** @type {number | null} */
  #due_ms = null;
  #changed = false;

  /** @param {number} max_hz rate of wants that do not say; 0 for the server's own default */
  constructor(max_hz = 0) {
    this.#max_hz = max_hz;
  }

  get size() {
    return this.#entries.size;
  }

  /** When the next `tick` is due, or null. */
  deadline() {
    if (this.#changed) {
      this.#changed = false;
      const entries = [...this.#entries.values()];
      const due = entries.map(({forget_ms}) => forget_ms);
      if (this.#isLinked) due.push(...entries.map(({again_ms}) => again_ms));
      const set = due.filter((at) => at !== null);
      this.#due_ms = set.length ? Math.min(...set) : null;
    }
    return this.#due_ms;
  }

  // ---- what is wanted

  /** Count something as wanted once more. @param {Want} want @returns {Action[]} */
  want(want) {
    this.#changed = true;
    const entries = distinct(want.symbols).map((symbol) => this.#enter(want, symbol));
    for (const entry of entries) entry.want(want);
    return this.#ask(entries);
  }

  /**
   * Count something as wanted once less; what is not wanted at all lingers.
   *
   * @param {number} now_ms
   * @param {Want} want
   * @returns {Action[]}
   */
  unwant(now_ms, want) {
    this.#changed = true;
    const held = distinct(want.symbols).flatMap(
      (symbol) => this.#entry(want.channel, want.interval ?? null, symbol) ?? []);
    return this.#ask(held.filter((entry) => entry.unwant(now_ms, want)));
  }

  /** Set the rate of wants that do not say. @param {number} max_hz @returns {Action[]} */
  configure(max_hz) {
    this.#max_hz = max_hz;
    return this.#ask(this.#entries.values());
  }

  /**
   * What of a channel to poll: wanted, and not just refused.
   *
   * @param {number} now_ms
   * @param {Channel} channel
   * @returns {{symbol: string, interval: string | null}[]}
   */
  wanted(now_ms, channel) {
    return [...this.#entries.values()]
      .filter((entry) => entry.channel === channel && entry.servedWants().length
        && entry.mayBePolled(now_ms))
      .map(({symbol, interval}) => ({symbol, interval}));
  }

  /**
   * Whether something is wanted, or was a moment ago.
   *
   * @param {Channel} channel
   * @param {string | null} interval
   * @param {string} symbol
   */
  holds(channel, interval, symbol) {
    return this.#entry(channel, interval, symbol) !== undefined;
  }

  /**
   * Whether something is wanted.
   *
   * @param {Channel} channel
   * @param {string | null} interval
   * @param {string} symbol
   */
  isWanted(channel, interval, symbol) {
    return Boolean(this.#entry(channel, interval, symbol)?.wants.size);
  }

  /** Whether a symbol is wanted of any channel. @param {string} symbol */
  names(symbol) {
    return [...this.#entries.values()].some((entry) => entry.symbol === symbol && entry.wants.size);
  }

  /**
   * Why something is not given; null where it is, or was not asked for.
   *
   * @param {Channel} channel
   * @param {string | null} interval
   * @param {string} symbol
   * @param {string[]} [indicators]
   * @returns {import("./session.js").Failed | null}
   */
  failure(channel, interval, symbol, indicators = []) {
    return this.#entry(channel, interval, symbol)?.failure(indicators) ?? null;
  }

  /**
   * How many bars are wanted before the live ones.
   *
   * @param {string | null} interval
   * @param {string} symbol
   */
  history(interval, symbol) {
    const wants = this.#entry("bars", interval, symbol)?.servedWants() ?? [];
    return Math.max(0, ...wants.map(({history = 0}) => history));
  }

  /**
   * The indicators that are wanted of a series.
   *
   * @param {string | null} interval
   * @param {string} symbol
   * @returns {string[]}
   */
  indicators(interval, symbol) {
    return this.#entry("bars", interval, symbol)?.terms(this.#max_hz).indicators ?? [];
  }

  // ---- what is asked for

  /** Ask for all that is wanted, over a link that knows nothing of it. @returns {Action[]} */
  linked() {
    this.#changed = true;
    this.#isLinked = true;
    for (const entry of this.#entries.values()) {
      entry.asked = entry.again_ms = null;
      entry.trials.linked();
    }
    return this.#ask(this.#entries.values());
  }

  /** There is no link any more. */
  unlinked() {
    this.#changed = true;
    this.#isLinked = false;
    for (const entry of this.#entries.values()) entry.asked = null;
  }

  /** End all at the feed, but want it still. @returns {Action[]} */
  rest() {
    const asked = [...this.#entries.values()].filter((entry) => entry.asked !== null);
    this.unlinked();
    return unasks(asked);
  }

  /**
   * Take the answer to an `ask`.
   *
   * @param {number} now_ms
   * @param {Channel} channel as asked
   * @param {string | null} interval as asked
   * @param {string[]} symbols as asked
   * @param {Record<string, string>} failed by symbol the code, of those that cannot be had
   * @param {string} [reason] what the feed says of it, where it does
   * @param {string[]} [indicators] as asked
   * @returns {Action[]}
   */
  answered(now_ms, channel, interval, symbols, failed, reason = "", indicators = []) {
    this.#changed = true;
    const answered = symbols.flatMap((symbol) => this.#entry(channel, interval, symbol) ?? []);
    const told = answered.flatMap((entry) => {
      const code = failed[entry.symbol];
      if (code !== undefined) return entry.refused(now_ms, code, reason, indicators);
      entry.served(indicators);
      return [];
    });
    // Where an indicator was refused or tried, the rest is asked for.
    return [...told, ...this.#ask(answered.filter((entry) => entry.failed === null))];
  }

  /**
   * The feed has ended these by itself: the token does not allow them.
   *
   * @param {number} now_ms
   * @param {Channel} channel
   * @param {string | null} interval
   * @param {string[]} symbols
   * @returns {Action[]}
   */
  dropped(now_ms, channel, interval, symbols) {
    /** @param {string} symbol */
    const failed = Object.fromEntries(symbols.map((symbol) => [symbol, "forbidden"]));
    return this.answered(now_ms, channel, interval, symbols, failed);
  }

  /**
   * Another token was taken: ask again for what was forbidden.
   *
   * @param {number} now_ms
   * @returns {Action[]}
   */
  allowed(now_ms) {
    this.#changed = true;
    const forbidden = [...this.#entries.values()].filter(
      ({failed}) => failed !== null && TOKEN_REFUSALS.has(failed));
    for (const entry of forbidden) entry.again_ms = this.#isLinked ? null : now_ms;
    return this.#ask(forbidden);
  }

  /**
   * Forget what has lingered, and ask again for what was refused a while ago.
   *
   * @param {number} now_ms
   * @returns {Action[]}
   */
  tick(now_ms) {
    this.#changed = true;
    const gone = [...this.#entries.values()].filter(({forget_ms}) => isDue(forget_ms, now_ms));
    for (const entry of gone) this.#entries.delete(entryKey(entry));
    const again = [...this.#entries.values()].filter(
      ({again_ms}) => this.#isLinked && isDue(again_ms, now_ms));
    for (const entry of again) entry.again_ms = null;
    const asked = gone.filter((entry) => entry.asked !== null);
    /** @type {Action[]} */
    const forgotten = gone.map(
      ({channel, interval, symbol}) => ({do: "forget", channel, interval, symbol}));
    return [...unasks(asked), ...forgotten, ...this.#ask(again)];
  }

  /** @param {Channel} channel @param {string | null} interval @param {string} symbol */
  #entry(channel, interval, symbol) {
    return this.#entries.get(entryKey({channel, interval, symbol}));
  }

  /** @param {Want} want @param {string} symbol */
  #enter(want, symbol) {
    const {channel} = want;
    const interval = want.interval ?? null;
    const key = entryKey({channel, interval, symbol});
    let entry = this.#entries.get(key);
    if (!entry) this.#entries.set(key, (entry = new Entry(channel, interval, symbol)));
    return entry;
  }

  /** @param {Iterable<Entry>} entries @returns {Action[]} */
  #ask(entries) {
    return this.#isLinked ? asks(entries, this.#max_hz) : [];
  }
}

/** @param {{channel: Channel, interval: string | null, symbol: string}} entry */
function entryKey({channel, interval, symbol}) {
  return `${channel} ${interval ?? ""} ${symbol}`;
}

/** @param {string[]} symbols */
function distinct(symbols) {
  return [...new Set(symbols)];
}
