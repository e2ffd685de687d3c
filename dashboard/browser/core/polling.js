/**
 * Requests in place of a link: when the next is due, and how they fare. Pure. Twin of
 * `dashboard/client/core/polling.py`.
 */

import {LIMITS, backoff} from "quotewire/core/limits.js";

const AWAY = new Set(["unreachable", "timeout"]);
const FALLEN_BACK = "the WebSocket is down, polling meanwhile";

/** The polls. */
export class Polling {
  /** @type {"off" | "busy" | "waiting" | "paused"} paused until the page is seen */
  phase = "off";
  /** @type {number | null} when the next is due, or its answer */
  at = null;
  /** Polls in a row that failed. */
  failures = 0;
  /** Those of them, at the end, that reached nobody. */
  #away = 0;
  #situation;
  #poll_ms;

  /**
   * @param {import("./situation.js").Situation} situation
   * @param {number} poll_ms how often is polled
   */
  constructor(situation, poll_ms) {
    this.#situation = situation;
    this.#poll_ms = poll_ms;
  }

  /** Rest. */
  off() {
    this.phase = "off";
    this.at = null;
    this.failures = this.#away = 0;
  }

  /** Wait for the page to be seen. */
  pause() {
    Object.assign(this, {phase: "paused", at: null});
  }

  /** Poll so often from now on. @param {number} now_ms @param {number} poll_ms */
  pace(now_ms, poll_ms) {
    this.#poll_ms = poll_ms;
    if (this.phase === "waiting" && this.at !== null) this.at = Math.min(this.at, now_ms + poll_ms);
  }

  /** Poll now, if someone sees the page. @param {number} now_ms */
  poll(now_ms) {
    if (this.#situation.isHidden) {
      this.pause();
      return;
    }
    Object.assign(this, {phase: "busy", at: now_ms + LIMITS.answer_ms});
    this.#situation.do({do: "poll"});
  }

  /** The poll under way was. @param {number} now_ms */
  answered(now_ms) {
    this.failures = this.#away = 0;
    this.#wait(now_ms + this.#poll_ms);
    if (this.#situation.mode === "polling") this.sayChosen(now_ms);
    else this.#situation.say(now_ms, "polling", "fell_back", FALLEN_BACK, "polling");
  }

  /** Tell that data comes by polls, and is to. @param {number} now_ms */
  sayChosen(now_ms) {
    this.#situation.say(now_ms, "polling", "polling_chosen", "polling, as set", "polling");
  }

  /**
   * The poll under way was not answered, or by an error.
   *
   * @param {number} now_ms
   * @param {string} code
   * @param {string} reason
   */
  failed(now_ms, code, reason) {
    const situation = this.#situation;
    this.failures += 1;
    this.#away = AWAY.has(code) ? this.#away + 1 : 0;
    this.#wait(now_ms + backoff(this.failures, situation.random));
    if (situation.state === "polling") {
      situation.say(now_ms, "stale", "poll_failed", reason, "polling");
    } else situation.say(now_ms, "offline", code, reason, "polling");
  }

  /** Whether the last polls did not, so many that the relay is worth a try. */
  get reachesNobody() {
    return this.#away >= LIMITS.relay_polls;
  }

  /** @param {number} at */
  #wait(at) {
    if (this.#situation.isHidden) this.pause();
    else Object.assign(this, {phase: "waiting", at});
  }
}
