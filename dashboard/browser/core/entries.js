/**
 * One thing that is wanted: by whom how often, what was asked of it, and what was refused. Pure.
 * Twin of `dashboard/client/core/entries.py`.
 *
 * @typedef {import("./session.js").Channel} Channel
 * @typedef {import("./session.js").Failed} Failed
 * @typedef {import("./session.js").Want} Want
 * @typedef {{indicators: string[], max_hz: number}} Terms on which something is asked for
 */

import {REASONS, RETRIED} from "quotewire/core/codes.js";
import {LIMITS} from "quotewire/core/limits.js";
import {Trials} from "quotewire/core/trials.js";

/** Where an indicator is refused. */
const BAD_INDICATOR = "bad_parameter";

/** One symbol of a channel, and of bars one interval. */
export class Entry {
  /** @type {Map<string, {want: Want, count: number}>} by terms */
  wants = new Map();
  /** @type {Terms | null} what the feed was asked for */
  asked = null;
  /** @type {number | null} when it has lingered long enough; null while it is wanted */
  forget_ms = null;
  /** @type {string | null} why it is not given, null where it is */
  failed = null;
  /** @type {number | null} when it is asked for again, null where it is not to be */
  again_ms = null;
  trials = new Trials();
  #reason = "";
  #wait_ms = 0;

  /** @param {Channel} channel @param {string | null} interval @param {string} symbol */
  constructor(channel, interval, symbol) {
    this.channel = channel;
    this.interval = interval;
    this.symbol = symbol;
  }

  /** Count it as wanted once more. @param {Want} want */
  want(want) {
    const terms = termsKey(want);
    const counted = this.wants.get(terms) ?? {want, count: 0};
    counted.count += 1;
    this.wants.set(terms, counted);
    this.forget_ms = null;
  }

  /**
   * Count it as wanted once less.
   *
   * @param {number} now_ms
   * @param {Want} want
   * @returns {boolean} whether nobody wants it on these terms any more
   */
  unwant(now_ms, want) {
    const terms = termsKey(want);
    const counted = this.wants.get(terms);
    if (!counted) return false;
    counted.count -= 1;
    if (counted.count) return false;
    this.wants.delete(terms);
    this.trials.keep([...this.wants.values()].flatMap((one) => one.want.indicators ?? []));
    if (!this.wants.size) this.forget_ms = now_ms + LIMITS.linger_ms;
    return true;
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

  /**
   * The terms to ask for it on, as is done then; null where there is no need.
   *
   * @param {number} max_hz
   * @returns {Terms | null}
   */
  ask(max_hz) {
    const terms = this.terms(max_hz);
    const isAsked = this.asked !== null && JSON.stringify(this.asked) === JSON.stringify(terms);
    if (!this.servedWants().length || isAsked || this.again_ms !== null) return null;
    this.asked = terms;
    return terms;
  }

  /** Whether it is of use to ask for it now. @param {number} now_ms */
  mayBePolled(now_ms) {
    return this.failed === null || isDue(this.again_ms, now_ms);
  }

  /** It is there. @param {string[]} indicators */
  served(indicators) {
    this.failed = this.again_ms = null;
    this.#wait_ms = 0;
    this.trials.took(indicators);
  }

  /**
   * It cannot be had, or not with these indicators.
   *
   * @param {number} now_ms
   * @param {string} code
   * @param {string} reason
   * @param {string[]} indicators as asked
   * @returns {Failed[]} what is to be told of that
   */
  refused(now_ms, code, reason, indicators) {
    const bad = code === BAD_INDICATOR ? this.trials.refuse(indicators, reason) : null;
    if (bad !== null) {
      if (String(this.asked?.indicators) === String(indicators)) this.asked = null;
      return bad.map((name) => this.#failed(code, reason, [name]));
    }
    this.asked = this.again_ms = null;
    if (code === "unknown_symbol" || RETRIED.has(code)) {
      this.#wait_ms = Math.min(2 * this.#wait_ms || LIMITS.unknown_base_ms, LIMITS.unknown_cap_ms);
      this.again_ms = now_ms + this.#wait_ms;
    }
    if (code === this.failed || !this.wants.size) return [];
    this.failed = code;
    this.#reason = reason;
    return [this.#failed(code, reason)];
  }

  /** Why it is not given with these indicators; null where it is. @param {string[]} indicators */
  failure(indicators) {
    if (this.failed !== null) return this.#failed(this.failed, this.#reason);
    const refusal = this.trials.refusal(indicators);
    return refusal === null ? null : this.#failed(BAD_INDICATOR, refusal, indicators);
  }

  /**
   * @param {string} code
   * @param {string} reason
   * @param {string[]} [indicators]
   * @returns {Failed}
   */
  #failed(code, reason, indicators = []) {
    const {channel, symbol, interval} = this;
    const said = reason || `${symbol}: ${REASONS[code] ?? code}`;
    return {do: "failed", channel, symbol, interval, code, reason: said, indicators};
  }
}

/** Whether a time has come; null never does. @param {number | null} at @param {number} now_ms */
export function isDue(at, now_ms) {
  return at !== null && now_ms >= at;
}

/** What a want is counted by. @param {Want} want */
function termsKey({indicators = [], max_hz = 0, history = 0}) {
  return JSON.stringify([indicators, max_hz, history]);
}
