/**
 * One way over which the feed talks by itself: its phase, its silence, its next try. Pure. Twin of
 * `dashboard/client/core/links.py`.
 *
 * @typedef {import("./situation.js").Situation} Situation
 */

import {LIMITS, backoff} from "quotewire/core/limits.js";

/** The WebSocket, or the relay. */
export class Link {
  /** Tries in a row that failed. */
  failures = 0;
  /** @type {"off" | "opening" | "live" | "waiting" | "parked"} waiting for the next try, parked
   * until the page is seen */
  phase = "off";
  /** @type {number | null} when what it waits for is due */
  at = null;
  /** @type {number | null} when the feed wants this client back */
  comes_back_ms = null;
  /** Whether it was told that nothing is heard. */
  stale = false;
  #situation;
  #heartbeat_ms = 0;
  #welcomed_ms = 0;
  #heard_ms = 0;

  /** @param {import("./situation.js").LinkWay} way @param {Situation} situation */
  constructor(way, situation) {
    this.way = way;
    this.#situation = situation;
  }

  /** Rest. */
  off() {
    this.phase = "off";
    this.at = this.comes_back_ms = null;
    this.stale = false;
  }

  /** Try it. @param {number} now_ms */
  open(now_ms) {
    this.off();
    Object.assign(this, {phase: "opening", at: now_ms + LIMITS.connect_ms});
    this.#situation.do({do: "open", way: this.way});
  }

  /** Give it up, and rest. */
  close() {
    if (this.isOpen) this.#situation.do({do: "close", way: this.way});
    this.off();
  }

  /**
   * Wait for the next try: until the feed wants this client back, else by the failures.
   *
   * @param {number} now_ms
   */
  wait(now_ms) {
    const back_ms = this.comes_back_ms;
    if (this.#hasProvedItself) this.failures = 0;
    this.off();
    this.phase = "waiting";
    if (back_ms !== null) {
      this.comes_back_ms = this.at = Math.max(now_ms, back_ms);
      return;
    }
    this.failures += 1;
    this.at = now_ms + backoff(this.failures, this.#situation.random);
  }

  /**
   * It is live, and never silent for longer than this.
   *
   * @param {number} now_ms
   * @param {number} heartbeat_ms
   */
  welcomed(now_ms, heartbeat_ms) {
    Object.assign(this, {phase: "live", at: null});
    this.#heartbeat_ms = heartbeat_ms;
    this.#welcomed_ms = this.#heard_ms = now_ms;
  }

  /** A message came. @param {number} now_ms */
  heard(now_ms) {
    this.#heard_ms = now_ms;
  }

  /** Whether there is something to close. */
  get isOpen() {
    return this.phase === "opening" || this.phase === "live";
  }

  /** @returns {number | null} when something is due */
  due() {
    if (this.phase !== "live") return this.at;
    const grace_ms = this.stale ? LIMITS.dead_ms : LIMITS.silent_ms;
    return this.#heard_ms + this.#heartbeat_ms + grace_ms;
  }

  /** Whether nothing was heard for too long. @param {number} now_ms */
  isDead(now_ms) {
    return now_ms >= this.#heard_ms + this.#heartbeat_ms + LIMITS.dead_ms;
  }

  /** Whether the feed talked over it for long enough. */
  get #hasProvedItself() {
    return this.phase === "live" && this.#heard_ms - this.#welcomed_ms >= LIMITS.proved_ms;
  }
}
