/**
 * The connection's state machine: pure, so that vectors drive it. They are in no one's language
 * (`tests/vectors/machine.json`): a client in another one can be held to the same.
 *
 * Events and the time go in, actions come out. It never sleeps: `deadline()` says when the next
 * `tick` is due. What opens sockets and sets timers is `connection.js`.
 *
 * @typedef {"auto" | "websocket" | "polling"} Mode
 * @typedef {"connecting" | "live" | "polling" | "offline"} State
 *
 * @typedef {{type: "start"} | {type: "stop"} | {type: "tick"} | {type: "mode", mode: Mode}
 *   | {type: "welcome", heartbeat_ms: number} | {type: "message", data: boolean}
 *   | {type: "closed", reason: string} | {type: "denied", code: string, reason: string}
 *   | {type: "poll_ok"} | {type: "poll_failed", code?: string, reason: string}
 *   | {type: "online"} | {type: "visible"} | {type: "hidden"}} Event
 *
 * @typedef {{do: "open"} | {do: "close"} | {do: "poll"} | {do: "subscribe"}
 *   | {do: "unsubscribe"} | {do: "state", state: State, code: string, reason: string, at_ms: number}} Action
 */

import {isDenial} from "quotewire/protocol.js";

/** Times are milliseconds. */
export const LIMITS = Object.freeze({
  connect_ms: 3000, // from opening a socket to the server's welcome
  proved_ms: 5000, // a connection that lasted so long has proved itself
  backoff_base_ms: 500,
  backoff_cap_ms: 15000,
  silent_heartbeats: 2,
  poll_ms: 1000,
  failed_polls: 2, // one lost poll is not yet an outage
  denied_ms: 30000, // who is not let in comes again after half of this to all of it
});

export class Machine {
  /** @type {State} */
  state = "connecting";
  #said = "";
  #isDenied = false;
  #hidden = false;
  #socket = {phase: "off", at: null, failures: 0, silent_ms: 0, welcomed_ms: 0};
  #poll = {phase: "off", at: null, failures: 0};
  /** @type {Action[]} */
  #actions = [];

  /**
   * @param {object} [options]
   * @param {Mode} [options.mode]
   * @param {() => number} [options.random] uniform in [0, 1), for the jitter
   * @param {Partial<typeof LIMITS>} [options.limits]
   */
  constructor({mode = "auto", random = Math.random, limits = {}} = {}) {
    this.mode = mode;
    this.random = random;
    this.limits = {...LIMITS, ...limits};
  }

  /**
   * Take one event; each type has its method below, named `_<type>`.
   *
   * @param {number} now_ms
   * @param {Event} event
   * @returns {Action[]}
   */
  step(now_ms, event) {
    this.#actions = [];
    this[`_${event.type}`](now_ms, event);
    return this.#actions;
  }

  /** When the next `tick` is due, or null. */
  deadline() {
    const {phase, failures, welcomed_ms} = this.#socket;
    const proved = phase === "live" && failures ? welcomed_ms + this.limits.proved_ms : null;
    const due = [this.#socket.at, this.#poll.at, proved].filter((at) => at !== null);
    return due.length ? Math.min(...due) : null;
  }

  _start(now_ms) {
    this.#say(now_ms, "connecting", "starting", "opening the first connection");
    if (this.mode === "polling") this.#pollNow();
    else this.#open(now_ms);
  }

  _stop() {
    this.#closeSocket();
    this.#stopPolling();
  }

  _mode(now_ms, {mode}) {
    if (mode === this.mode) return;
    this.mode = mode;
    if (this.#socket.phase === "live" && mode !== "polling") return;
    this._stop();
    this.#socket.failures = this.#poll.failures = 0;
    this.#say(now_ms, "connecting", "mode_changed", `switching to ${mode}`);
    if (mode === "polling") this.#pollNow();
    else this.#open(now_ms);
  }

  _welcome(now_ms, {heartbeat_ms}) {
    if (this.#socket.phase !== "opening") return;
    const silent_ms = heartbeat_ms * this.limits.silent_heartbeats;
    Object.assign(this.#socket, {phase: "live", silent_ms, welcomed_ms: now_ms});
    this.#socket.at = now_ms + silent_ms;
    this.#stopPolling();
    if (!this.#hidden) this.#actions.push({do: "subscribe"});
    this.#say(now_ms, "live", "welcomed", "connected by WebSocket");
  }

  _message(now_ms, {data}) {
    if (this.#socket.phase !== "live") return;
    this.#socket.at = now_ms + this.#socket.silent_ms;
    if (data) this.#socket.failures = 0;
  }

  _closed(now_ms, {reason}) {
    if (this.#socket.phase === "opening") this.#socketFailed(now_ms, "refused", reason);
    else if (this.#socket.phase === "live") this.#socketFailed(now_ms, "closed", reason);
  }

  /** The feed does not let the page in, by no way: what helps is a new token, then `online`. */
  _denied(now_ms, {code, reason}) {
    if (this.#socket.phase !== "opening" && this.#socket.phase !== "live") return;
    this._stop();
    Object.assign(this.#socket, {phase: "waiting", at: this.#afterDenial(now_ms)});
    this.#say(now_ms, "offline", code, reason);
  }

  _tick(now_ms) {
    const socket = this.#socket;
    if (socket.phase === "live" && now_ms >= socket.welcomed_ms + this.limits.proved_ms) {
      socket.failures = 0;
    }
    if (socket.at !== null && now_ms >= socket.at) this.#socketDue(now_ms);
    if (this.#poll.at !== null && now_ms >= this.#poll.at) this.#pollNow();
  }

  _poll_ok(now_ms) {
    if (this.#poll.phase !== "busy") return;
    this.#poll.failures = 0;
    this.#pollAgain(now_ms + this.limits.poll_ms);
    const chosen = this.mode === "polling";
    const reason = chosen ? "polling, as set" : "the WebSocket is down, polling meanwhile";
    this.#say(now_ms, "polling", chosen ? "polling_chosen" : "fell_back", reason);
  }

  _poll_failed(now_ms, {code, reason}) {
    if (this.#poll.phase !== "busy") return;
    if (isDenial(code)) {
      this.#pollAgain(this.#afterDenial(now_ms));
      this.#say(now_ms, "offline", code, reason);
      return;
    }
    this.#poll.failures += 1;
    this.#pollAgain(now_ms + this.#backoff(this.#poll.failures));
    const tolerated = this.state === "polling" && this.#poll.failures < this.limits.failed_polls;
    if (!tolerated) this.#say(now_ms, "offline", "unreachable", reason);
  }

  _online(now_ms) {
    if (this.#socket.phase === "waiting") this.#open(now_ms);
    if (this.#poll.phase === "waiting") this.#pollNow();
  }

  _visible(now_ms) {
    this.#hidden = false;
    if (this.#socket.phase === "live") this.#actions.push({do: "subscribe"});
    if (this.#poll.phase === "paused") this.#pollNow();
    this._online(now_ms);
  }

  /** A page nobody sees asks for nothing; the snapshot of a new subscription brings it back. */
  _hidden() {
    this.#hidden = true;
    if (this.#socket.phase === "live") this.#actions.push({do: "unsubscribe"});
    if (this.#poll.phase === "waiting") Object.assign(this.#poll, {phase: "paused", at: null});
  }

  #open(now_ms) {
    Object.assign(this.#socket, {phase: "opening", at: now_ms + this.limits.connect_ms});
    this.#actions.push({do: "open"});
  }

  #closeSocket() {
    const open = this.#socket.phase === "opening" || this.#socket.phase === "live";
    if (open) this.#actions.push({do: "close"});
    Object.assign(this.#socket, {phase: "off", at: null});
  }

  #socketDue(now_ms) {
    const {phase} = this.#socket;
    if (phase === "waiting") {
      this.#open(now_ms);
      return;
    }
    this.#closeSocket();
    if (phase === "live") this.#socketFailed(now_ms, "silent", "the feed fell silent");
    else this.#socketFailed(now_ms, "timeout", "the feed did not answer in time");
  }

  #socketFailed(now_ms, code, reason) {
    const socket = this.#socket;
    socket.failures += 1;
    Object.assign(socket, {phase: "waiting", at: now_ms + this.#backoff(socket.failures)});
    if (this.mode === "websocket") {
      this.#say(now_ms, "offline", code, reason);
      return;
    }
    if (this.state === "live") this.#say(now_ms, "connecting", code, reason);
    if (this.#poll.phase === "off") this.#pollNow();
  }

  #pollNow() {
    Object.assign(this.#poll, {phase: "busy", at: null});
    this.#actions.push({do: "poll"});
  }

  #pollAgain(at) {
    Object.assign(this.#poll, this.#hidden ? {phase: "paused", at: null} : {phase: "waiting", at});
  }

  #stopPolling() {
    Object.assign(this.#poll, {phase: "off", at: null, failures: 0});
  }

  /** Exponential backoff with full jitter, after so many failures in a row. */
  #backoff(failures) {
    const {backoff_base_ms, backoff_cap_ms} = this.limits;
    return this.random() * Math.min(backoff_cap_ms, backoff_base_ms * 2 ** (failures - 1));
  }

  #afterDenial(now_ms) {
    return now_ms + this.limits.denied_ms * (1 + this.random()) / 2;
  }

  /** Each change is said once; while offline, only that the page is denied or no longer is. */
  #say(now_ms, state, code, reason) {
    if (this.#said === `${state} ${code}`) return;
    const denied = isDenial(code);
    if (this.state === "offline" && state === "offline" && !denied && !this.#isDenied) return;
    this.#isDenied = denied;
    this.#said = `${state} ${code}`;
    this.state = state;
    this.#actions.push({do: "state", state, code, reason, at_ms: now_ms});
  }
}
