/**
 * What is known of a connection as a whole, what was told of it, and what is to be done. Pure. Twin
 * of `dashboard/client/core/situation.py`.
 *
 * @typedef {import("./session.js").Mode} Mode
 * @typedef {import("./session.js").State} State
 * @typedef {import("./session.js").Way} Way
 * @typedef {"websocket" | "relay"} LinkWay
 *
 * @typedef {{do: "open", way: LinkWay} | {do: "close", way: LinkWay}
 *   | {do: "subscribe", way: LinkWay} | {do: "unsubscribe", way: LinkWay} | {do: "poll"}
 *   | import("./session.js").StateChanged} Action
 */

import {LIMITS} from "quotewire/core/limits.js";

/** What the ways to the feed have in common. */
export class Situation {
  /** @type {State} told last */
  state = "connecting";
  /** @type {Way} told last */
  way = "websocket";
  /** @type {"" | "idle" | "stopped" | "refused"} why nothing is tried; empty while something is */
  ended = "idle";
  /** @type {number | null} since when nobody sees the page */
  hidden_ms = null;
  #told = "";
  /** @type {Action[]} */
  #actions = [];

  /**
   * @param {Mode} mode which ways are taken
   * @param {boolean} renewable whether there can be another token where one has expired
   * @param {() => number} random uniform in [0, 1), for the jitter
   */
  constructor(mode, renewable, random) {
    this.mode = mode;
    this.renewable = renewable;
    this.random = random;
  }

  /** Whether nobody sees the page. */
  get isHidden() {
    return this.hidden_ms !== null;
  }

  /** Whether nobody has seen it for so long that it does not reconnect. @param {number} now_ms */
  isIdle(now_ms) {
    return this.hidden_ms !== null && now_ms - this.hidden_ms > LIMITS.idle_ms;
  }

  /** Let something be done. @param {Action} action */
  do(action) {
    this.#actions.push(action);
  }

  /**
   * Tell each change once; while nothing can be had it is no change why.
   *
   * @param {number} now_ms
   * @param {State} state
   * @param {string} code
   * @param {string} reason
   * @param {Way} way
   */
  say(now_ms, state, code, reason, way) {
    const told = `${state} ${code} ${way}`;
    if (told === this.#told || (state === "offline" && this.state === "offline")) return;
    this.#told = told;
    this.state = state;
    this.way = way;
    this.#actions.push({do: "state", state, code, reason, way, at_ms: now_ms});
  }

  /** @returns {Action[]} what was to be done and told since the last time */
  done() {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }
}
