/**
 * The connection's state machine: which way data comes, and what is tried when none does. Pure.
 *
 * What happens goes in by a method, with the time in milliseconds; what is to be done comes out.
 * Links (the WebSocket, the relay) and polls each have a phase of their own; the state is what they
 * make of the whole. Twin of `dashboard/client/core/machine.py`.
 *
 * @typedef {import("./session.js").Mode} Mode
 * @typedef {import("./situation.js").LinkWay} LinkWay
 */

import {Situation} from "quotewire/core/situation.js";
import {Ways} from "quotewire/core/ways.js";

export class Machine {
  #situation;
  #ways;

  /**
   * @param {object} options
   * @param {Mode} options.mode which ways it takes
   * @param {number} options.poll_ms how often it polls
   * @param {boolean} options.relay whether there is one
   * @param {boolean} options.renewable whether there can be another token where one has expired
   * @param {() => number} options.random uniform in [0, 1), for the jitter
   */
  constructor({mode, poll_ms, relay, renewable, random}) {
    this.#situation = new Situation(mode, renewable, random);
    this.#ways = new Ways(this.#situation, poll_ms, relay);
  }

  /** When the next `tick` is due, or null. */
  deadline() {
    return this.#ways.deadline();
  }

  /** @returns {LinkWay | null} over which data is asked for now */
  get liveWay() {
    return this.#ways.live;
  }

  get isHidden() {
    return this.#situation.isHidden;
  }

  /** Whether a poll is under way. */
  get isPolling() {
    return this.#ways.polls.phase === "busy";
  }

  // ---- what is asked of it

  /** Begin, or begin again after the end. @param {number} now_ms */
  start(now_ms) {
    if (this.#situation.ended) this.#ways.begin(now_ms, "starting", "opening the first connection");
    return this.#situation.done();
  }

  /** There is another token: what was refused for good may be let in now. @param {number} now_ms */
  token(now_ms) {
    if (this.#situation.ended === "refused") {
      this.#ways.begin(now_ms, "token", "trying another token");
    }
    return this.#situation.done();
  }

  /** @param {number} now_ms */
  stop(now_ms) {
    if (this.#situation.ended !== "stopped") {
      this.#ways.end(now_ms, "stopped", "stopped", "stopped, as asked");
    }
    return this.#situation.done();
  }

  /**
   * The feed does not let this client in, by no way.
   *
   * @param {number} now_ms
   * @param {string} code
   * @param {string} reason
   */
  denied(now_ms, code, reason) {
    if (!this.#situation.ended) this.#ways.end(now_ms, "refused", code, reason);
    return this.#situation.done();
  }

  /** @param {number} now_ms @param {{mode?: Mode, poll_ms?: number, relay?: boolean}} changes */
  configure(now_ms, {mode, poll_ms, relay}) {
    if (relay !== undefined) this.#ways.setRelay(now_ms, relay);
    if (poll_ms !== undefined) this.#ways.polls.pace(now_ms, poll_ms);
    if (mode !== undefined && mode !== this.#situation.mode) {
      this.#situation.mode = mode;
      if (!this.#situation.ended) this.#ways.changeOver(now_ms);
    }
    return this.#situation.done();
  }

  // ---- what happens to links

  /**
   * The feed has answered, and asks who one is: that may take a while.
   *
   * @param {number} now_ms
   * @param {LinkWay} way
   */
  greeted(now_ms, way) {
    this.#ways.greeted(now_ms, way);
    return this.#situation.done();
  }

  /**
   * The feed takes commands over this link from now on.
   *
   * @param {number} now_ms
   * @param {LinkWay} way
   * @param {number} heartbeat_ms
   */
  welcome(now_ms, way, heartbeat_ms) {
    this.#ways.welcome(now_ms, way, heartbeat_ms);
    return this.#situation.done();
  }

  /** A message came, of any kind. @param {number} now_ms @param {LinkWay} way */
  heard(now_ms, way) {
    this.#ways.heard(now_ms, way);
    return this.#situation.done();
  }

  /**
   * The feed is about to close this link, and wants this client back after a while.
   *
   * @param {number} now_ms
   * @param {LinkWay} way
   * @param {number} reconnect_ms
   */
  shutdown(now_ms, way, reconnect_ms) {
    this.#ways.shutdown(now_ms, way, reconnect_ms);
    return this.#situation.done();
  }

  /**
   * A link has lost messages: it is of no use any more.
   *
   * @param {number} now_ms
   * @param {LinkWay} way
   * @param {string} reason
   */
  broken(now_ms, way, reason) {
    this.#ways.broken(now_ms, way, reason);
    return this.#situation.done();
  }

  /**
   * A link has ended, or could not be opened.
   *
   * @param {number} now_ms
   * @param {LinkWay} way
   * @param {number | null} number the close code
   * @param {string} reason
   */
  closed(now_ms, way, number, reason) {
    this.#ways.closed(now_ms, way, number, reason);
    return this.#situation.done();
  }

  // ---- what happens to polls

  /** The poll under way was answered. @param {number} now_ms */
  pollOk(now_ms) {
    if (this.isPolling) {
      this.#ways.relay.close();
      this.#ways.polls.answered(now_ms);
    }
    return this.#situation.done();
  }

  /**
   * The poll under way was not answered, or by an error.
   *
   * @param {number} now_ms
   * @param {string} code
   * @param {string} reason
   */
  pollFailed(now_ms, code, reason) {
    if (this.isPolling) this.#ways.pollFailed(now_ms, code, reason);
    return this.#situation.done();
  }

  /** Poll again in place of the poll under way. @param {number} now_ms */
  repoll(now_ms) {
    if (this.isPolling) this.#ways.polls.poll(now_ms);
    return this.#situation.done();
  }

  // ---- what happens to the page

  /**
   * The network is back: try what waits, but for what the feed wants to come later.
   *
   * @param {number} now_ms
   */
  online(now_ms) {
    this.#ways.tryWaiting(now_ms);
    return this.#situation.done();
  }

  /** The page is seen again. @param {number} now_ms */
  visible(now_ms) {
    if (this.isHidden) {
      this.#situation.hidden_ms = null;
      this.#ways.catchUp(now_ms);
    }
    return this.online(now_ms);
  }

  /** Nobody sees the page: it asks for nothing. @param {number} now_ms */
  hidden(now_ms) {
    if (!this.isHidden) {
      this.#situation.hidden_ms = now_ms;
      const {live, polls} = this.#ways;
      if (live) this.#situation.do({do: "unsubscribe", way: live});
      if (polls.phase === "waiting") polls.pause();
    }
    return this.#situation.done();
  }

  /** Do what is due. @param {number} now_ms */
  tick(now_ms) {
    this.#ways.tick(now_ms);
    return this.#situation.done();
  }
}
