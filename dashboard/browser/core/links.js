/** In what phase the ways to the feed are. Pure. */

import {LIMITS} from "quotewire/core/limits.js";

/** One way over which the feed talks by itself. */
export class Link {
  /** Tries in a row that failed. */
  failures = 0;
  heartbeat_ms = 0;
  welcomed_ms = 0;
  heard_ms = 0;
  /** @type {"off" | "opening" | "live" | "waiting" | "parked"} waiting for the next try, parked
   * until the page is seen */
  phase = "off";
  /** @type {number | null} when what it waits for is due */
  at = null;
  /** @type {number | null} when the feed wants this client back */
  comes_back_ms = null;
  /** Whether it was told that nothing is heard. */
  stale = false;

  /** @param {"websocket" | "relay"} way */
  constructor(way) {
    this.way = way;
  }

  /** Rest. */
  off() {
    this.phase = "off";
    this.at = this.comes_back_ms = null;
    this.stale = false;
  }

  /** Whether there is something to close. */
  get isOpen() {
    return this.phase === "opening" || this.phase === "live";
  }

  /** @returns {number | null} when something is due */
  due() {
    if (this.phase !== "live") return this.at;
    const grace_ms = this.stale ? LIMITS.dead_ms : LIMITS.silent_ms;
    return this.heard_ms + this.heartbeat_ms + grace_ms;
  }

  /** Whether nothing was heard for too long. @param {number} now_ms */
  isDead(now_ms) {
    return now_ms >= this.heard_ms + this.heartbeat_ms + LIMITS.dead_ms;
  }

  /** Whether the feed talked over it for long enough. */
  get hasProvedItself() {
    return this.phase === "live" && this.heard_ms - this.welcomed_ms >= LIMITS.proved_ms;
  }
}

/** Requests in place of a link. */
export class Polls {
  /** @type {"off" | "busy" | "waiting" | "paused"} paused until the page is seen */
  phase = "off";
  /** @type {number | null} when the next is due, or its answer */
  at = null;
  /** Polls in a row that failed. */
  failures = 0;
  /** Those of them, at the end, that reached nobody. */
  away = 0;

  /** Rest. */
  off() {
    this.phase = "off";
    this.at = null;
    this.failures = this.away = 0;
  }

  /** Wait for the page to be seen. */
  pause() {
    Object.assign(this, {phase: "paused", at: null});
  }
}
