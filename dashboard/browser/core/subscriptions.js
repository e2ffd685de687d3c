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
 * @typedef {{do: "ask", channel: Channel, interval: string | null, indicators: string[],
 *   max_hz: number, symbols: string[]}} Ask
 * @typedef {{do: "unask", channel: Channel, interval: string | null, symbols: string[]}} Unask
 * @typedef {{do: "forget", channel: Channel, interval: string | null, symbol: string}} Forget let go
 *   what is held, nobody wants it any more
 * @typedef {Ask | Unask | Forget | import("./session.js").Failed} Action
 */

import {REASONS, RETRIED} from "quotewire/core/codes.js";
import {LIMITS} from "quotewire/core/limits.js";
import {Trials} from "quotewire/core/trials.js";

/** Where an indicator is refused. */
const BAD_INDICATOR = "bad_parameter";

/** What another token may allow. */
const TOKEN_REFUSALS = new Set(["forbidden", "auth_required", "auth_failed", "auth_expired"]);

/** One symbol of a channel, and of bars one interval. */
class Entry {
  /** @type {Map<string, {want: Want, count: number}>} by terms */
  wants = new Map();
  /** @type {{indicators: string[], max_hz: number} | null} */
  asked = null;
  /** @type {number | null} */
  forget_ms = null;
  /** @type {string | null} */
  failed = null;
  reason = "";
  wait_ms = 0;
  /** @type {number | null} */
  again_ms = null;
  trials = new Trials();

  /** @param {Channel} channel @param {string | null} interval @param {string} symbol */
  constructor(channel, interval, symbol) {
    this.channel = channel;
    this.interval = interval;
    this.symbol = symbol;
  }

  /** The wants that the feed does not refuse for one of their indicators. */
  servedWants() {
    const wants = [...this.wants.values()].map(({want}) => want);
    return wants.filter(({indicators = []}) => this.trials.refusal(indicators) === null);
  }

  /** With which indicators and at what rate it is to be asked for. @param {number} max_hz */
  terms(max_hz) {
    const wants = this.servedWants();
    const indicators = this.trials.choose(wants.flatMap((want) => want.indicators ?? []));
    const rates = wants.map((want) => want.max_hz || max_hz);
    return {indicators, max_hz: rates.includes(0) ? 0 : Math.max(0, ...rates)};
  }

  /** Whether it is of use to ask for it now. @param {number} now_ms */
  mayBePolled(now_ms) {
    return this.failed === null || isDue(this.again_ms, now_ms);
  }

  /** It is there. @param {string[]} indicators */
  served(indicators) {
    Object.assign(this, {failed: null, wait_ms: 0, again_ms: null});
    this.trials.took(indicators);
  }
}

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
    for (const entry of entries) {
      const terms = termsKey(want);
      const counted = entry.wants.get(terms) ?? {want, count: 0};
      counted.count += 1;
      entry.wants.set(terms, counted);
      entry.forget_ms = null;
    }
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
    const terms = termsKey(want);
    const changed = [];
    for (const symbol of distinct(want.symbols)) {
      const entry = this.#entry(want.channel, want.interval ?? null, symbol);
      const counted = entry?.wants.get(terms);
      if (!entry || !counted) continue;
      counted.count -= 1;
      if (!counted.count) {
        entry.wants.delete(terms);
        entry.trials.keep([...entry.wants.values()].flatMap((one) => one.want.indicators ?? []));
        changed.push(entry);
      }
      if (!entry.wants.size) entry.forget_ms = now_ms + LIMITS.linger_ms;
    }
    return this.#ask(changed);
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
    const entry = this.#entry(channel, interval, symbol);
    if (!entry) return null;
    if (entry.failed !== null) return failedAction(entry, entry.failed, entry.reason);
    const refusal = entry.trials.refusal(indicators);
    return refusal === null ? null : failedAction(entry, BAD_INDICATOR, refusal, indicators);
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
      if (code !== undefined) return this.#refused(now_ms, entry, code, reason, indicators);
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

  /**
   * @param {number} now_ms
   * @param {Entry} entry
   * @param {string} code
   * @param {string} reason
   * @param {string[]} indicators as asked
   * @returns {Action[]}
   */
  #refused(now_ms, entry, code, reason, indicators) {
    const bad = code === BAD_INDICATOR ? entry.trials.refuse(indicators, reason) : null;
    if (bad !== null) {
      if (String(entry.asked?.indicators) === String(indicators)) entry.asked = null;
      return bad.map((name) => failedAction(entry, code, reason, [name]));
    }
    entry.asked = entry.again_ms = null;
    if (code === "unknown_symbol" || RETRIED.has(code)) {
      entry.wait_ms = Math.min(2 * entry.wait_ms || LIMITS.unknown_base_ms, LIMITS.unknown_cap_ms);
      entry.again_ms = now_ms + entry.wait_ms;
    }
    if (code === entry.failed || !entry.wants.size) return [];
    Object.assign(entry, {failed: code, reason});
    return [failedAction(entry, code, reason)];
  }

  /**
   * Ask for those of some entries that are wanted on other terms than was asked for.
   *
   * @param {Iterable<Entry>} entries
   * @returns {Action[]}
   */
  #ask(entries) {
    if (!this.#isLinked) return [];
    /** @type {Map<string, Action & {do: "ask"}>} */
    const groups = new Map();
    for (const entry of entries) {
      const terms = entry.terms(this.#max_hz);
      const isAsked = entry.asked !== null && JSON.stringify(entry.asked) === JSON.stringify(terms);
      if (!entry.servedWants().length || isAsked || entry.again_ms !== null) continue;
      entry.asked = terms;
      const {channel, interval, symbol} = entry;
      const key = JSON.stringify([channel, interval, terms]);
      const group = groups.get(key) ?? {do: "ask", channel, interval, ...terms, symbols: []};
      group.symbols.push(symbol);
      groups.set(key, group);
    }
    return [...groups.values()];
  }
}

/** @param {{channel: Channel, interval: string | null, symbol: string}} entry */
function entryKey({channel, interval, symbol}) {
  return `${channel} ${interval ?? ""} ${symbol}`;
}

/**
 * @param {Entry} entry
 * @param {string} code
 * @param {string} reason
 * @param {string[]} [indicators]
 * @returns {import("./session.js").Failed}
 */
function failedAction({channel, symbol, interval}, code, reason, indicators = []) {
  const said = reason || `${symbol}: ${REASONS[code] ?? code}`;
  return {do: "failed", channel, symbol, interval, code, reason: said, indicators};
}

/** What a want is counted by. @param {Want} want */
function termsKey({indicators = [], max_hz = 0, history = 0}) {
  return JSON.stringify([indicators, max_hz, history]);
}

/** @param {string[]} symbols */
function distinct(symbols) {
  return [...new Set(symbols)];
}

/** @param {number | null} at @param {number} now_ms */
function isDue(at, now_ms) {
  return at !== null && now_ms >= at;
}

/** @param {Iterable<Entry>} entries @returns {Action[]} */
function unasks(entries) {
  /** @type {Map<string, Action & {do: "unask"}>} */
  const groups = new Map();
  for (const {channel, interval, symbol} of entries) {
    const key = `${channel} ${interval ?? ""}`;
    const group = groups.get(key) ?? {do: "unask", channel, interval, symbols: []};
    group.symbols.push(symbol);
    groups.set(key, group);
  }
  return [...groups.values()];
}
