/**
 * The parts of a session, and how what one of them decides is done. Pure.
 *
 * Each (the machine, the login, subscriptions, history, requests) decides for itself; what one
 * decides is passed on to those that it concerns, and what is left are actions for the shell. Twin
 * of `dashboard/client/core/parts.py`.
 *
 * @typedef {import("./situation.js").LinkWay} LinkWay
 * @typedef {import("./session.js").Action} Action
 * @typedef {import("./session.js").Poll} Poll
 * @typedef {import("./session.js").Settings} Settings
 * @typedef {import("./session.js").StateChanged} StateChanged
 * @typedef {import("./session.js").Way} Way
 */

import {Books} from "quotewire/core/books.js";
import {History} from "quotewire/core/history.js";
import {LIMITS} from "quotewire/core/limits.js";
import {Login} from "quotewire/core/login.js";
import {Machine} from "quotewire/core/machine.js";
import {Requests} from "quotewire/core/requests.js";
import {Rounds} from "quotewire/core/rounds.js";
import {Subscriptions} from "quotewire/core/subscriptions.js";

/** The parts of a session. */
export class Parts {
  /** @type {StateChanged} as it was told last */
  state = {do: "state", state: "connecting", code: "idle", reason: "not started yet",
    way: "websocket", at_ms: 0};
  books = new Books();
  rounds = new Rounds();
  requests = new Requests(this.books);
  machine;
  login;
  wanted;
  history;
  /** @type {Map<Way, number>} messages that came, by link */
  frames = new Map();
  /** @type {Map<Way, number>} by link how often it says something, as its welcome told */
  heartbeats_ms = new Map();
  /** @type {LinkWay | null} over which commands are sent */
  way = null;
  /** @type {number | null} */
  ping_ms = null;
  /** @type {string | null} the token that the poll under way shows */
  polled_with = null;

  /** @param {Required<Settings>} settings @param {() => number} random uniform in [0, 1) */
  constructor(settings, random) {
    this.machine = new Machine({...settings, random});
    this.login = new Login(settings.renewable);
    this.wanted = new Subscriptions(settings.max_hz);
    this.history = new History(this.wanted, this.books, random);
  }

  /** @param {number} now_ms @param {import("./situation.js").Action[]} steps @returns {Action[]} */
  perform(now_ms, steps) {
    /** @type {Action[]} */
    const actions = [];
    for (const step of steps) {
      if (step.do === "subscribe") actions.push(...this.follow(this.wanted.linked()));
      else if (step.do === "unsubscribe") actions.push(...this.#rest(step.way));
      else if (step.do === "poll") {
        const symbols = this.wanted.wanted(now_ms, "quotes").map(({symbol}) => symbol);
        actions.push(this.poll(this.rounds.begin(symbols)));
      } else {
        if (step.do === "state") this.#stateChanged(step);
        else if (step.do === "open") this.frames.set(step.way, 0);
        else if (step.do === "close") this.unlink(step.way);
        actions.push(step);
      }
    }
    return actions;
  }

  /** @param {import("./subscriptions.js").Action[]} steps @returns {Action[]} */
  follow(steps) {
    /** @type {Action[]} */
    const actions = [];
    for (const step of steps) {
      if (step.do === "failed") actions.push(step);
      else if (step.do === "forget") this.history.forget(step.channel, step.interval, step.symbol);
      else if (this.way === null) continue;
      else if (step.do === "ask") actions.push(...this.requests.subscribe(this.way, step));
      else actions.push(...this.requests.unsubscribe(this.way, step));
    }
    return actions;
  }

  /** @param {number} now_ms @param {import("./login.js").Action[]} steps @returns {Action[]} */
  admit(now_ms, steps) {
    /** @type {Action[]} */
    const actions = [];
    for (const step of steps) {
      if (step.do === "renew") actions.push(step);
      else if (step.do === "enter") actions.push(...this.#enter(now_ms, step.way));
      else if (step.do === "deny") {
        const {code, reason} = step;
        actions.push(...this.perform(now_ms, this.machine.denied(now_ms, code, reason)));
      } else if (this.login.token !== null) {
        actions.push(this.requests.authenticate(step.way, this.login.token));
      }
    }
    return actions;
  }

  /** @param {number} now_ms @param {LinkWay} way @returns {Action[]} */
  #enter(now_ms, way) {
    if (this.way !== null) this.requests.unlinked(this.way);
    this.way = way;
    this.rounds.end();
    this.books.unlinked();
    this.books.meter.welcomed();
    this.ping_ms = this.machine.isHidden ? null : now_ms;
    const steps = this.machine.welcome(now_ms, way, this.heartbeats_ms.get(way) ?? 0);
    return [...this.perform(now_ms, steps), ...this.ping(now_ms)];
  }

  /** @param {LinkWay} way */
  unlink(way) {
    this.frames.delete(way);
    this.login.closed(way);
    this.requests.unlinked(way);
    if (way !== this.way) return;
    this.way = this.ping_ms = null;
    this.wanted.unlinked();
    this.books.unlinked();
  }

  /** @param {LinkWay} way @returns {Action[]} */
  #rest(way) {
    const steps = this.wanted.rest();
    this.books.unlinked();
    return steps.flatMap((step) =>
      (step.do === "unask" ? this.requests.unsubscribe(way, step) : []));
  }

  /** @param {StateChanged} changed */
  #stateChanged(changed) {
    this.state = changed;
    this.books.connection(changed.state);
    if (changed.state !== "closed") return;
    this.rounds.end();
    this.history.stop();
  }

  /** Ask for a part of a round. @param {import("./rounds.js").Part} part @returns {Poll} */
  poll(part) {
    this.polled_with = this.login.token;
    return {do: "poll", ...part};
  }

  /** Ask for the feed's clock, where it is time. @param {number} now_ms @returns {Action[]} */
  ping(now_ms) {
    if (this.ping_ms === null || this.way === null || now_ms < this.ping_ms) return [];
    const {id, send} = this.requests.ping(this.way);
    const {meter} = this.books;
    meter.pinged(id, now_ms);
    const enough = meter.answered_pings >= LIMITS.pings;
    this.ping_ms = now_ms + (enough ? LIMITS.ping_ms : LIMITS.ping_first_ms);
    return [send];
  }
}
