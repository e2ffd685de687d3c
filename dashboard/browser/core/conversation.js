/**
 * What the parts of a session decide, put together: what is done, and what came of it. Pure.
 *
 * Each part (the machine, the login, subscriptions, history, requests) decides for itself; what one
 * decides is passed on to those that it concerns, and what is left are actions for the shell. Twin
 * of `dashboard/client/core/conversation.py`.
 *
 * @typedef {import("./situation.js").LinkWay} LinkWay
 * @typedef {import("./session.js").Action} Action
 * @typedef {import("./session.js").Message} Message
 * @typedef {import("./session.js").Poll} Poll
 * @typedef {import("./session.js").Settings} Settings
 * @typedef {import("./session.js").StateChanged} StateChanged
 * @typedef {import("./session.js").Way} Way
 */

import {Books} from "quotewire/core/books.js";
import {History} from "quotewire/core/history.js";
import {LIMITS} from "quotewire/core/limits.js";
import {DENIALS, Login} from "quotewire/core/login.js";
import {Machine} from "quotewire/core/machine.js";
import {Requests} from "quotewire/core/requests.js";
import {Rounds} from "quotewire/core/rounds.js";
import {Subscriptions} from "quotewire/core/subscriptions.js";
import {Troubles} from "quotewire/core/troubles.js";

/** Answers to a poll that are about one of its symbols. */
const REFUSALS = new Set(["unknown_symbol", "forbidden"]);
const CONNECTED = new Set(["live", "polling", "stale"]);

/** A client's talk with one feed. */
export class Conversation {
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
  /** @type {Map<Way, number>} by link */
  #heartbeats_ms = new Map();
  /** @type {LinkWay | null} over which commands are sent */
  way = null;
  /** @type {number | null} */
  ping_ms = null;
  /** @type {string | null} the token that the poll under way shows */
  #polledWith = null;
  #troubles = new Troubles();

  /** @param {Required<Settings>} settings @param {() => number} random uniform in [0, 1) */
  constructor(settings, random) {
    this.machine = new Machine({...settings, random});
    this.login = new Login(settings.renewable);
    this.wanted = new Subscriptions(settings.max_hz);
    this.history = new History(this.wanted, this.books, random);
  }

  // ---- what the parts decide becomes actions

  /** @param {number} now_ms @param {import("./situation.js").Action[]} steps @returns {Action[]} */
  perform(now_ms, steps) {
    /** @type {Action[]} */
    const actions = [];
    for (const step of steps) {
      if (step.do === "subscribe") actions.push(...this.follow(this.wanted.linked()));
      else if (step.do === "unsubscribe") actions.push(...this.#rest(step.way));
      else if (step.do === "poll") {
        const symbols = this.wanted.wanted(now_ms, "quotes").map(({symbol}) => symbol);
        actions.push(this.#poll(this.rounds.begin(symbols)));
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
    const steps = this.machine.welcome(now_ms, way, this.#heartbeats_ms.get(way) ?? 0);
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

  // ---- what the feed says

  /**
   * Take a message of a link; see `Session.received`.
   *
   * @param {number} now_ms
   * @param {Way} way
   * @param {any} message
   * @param {number} size_bytes
   * @returns {Action[]}
   */
  received(now_ms, way, message, size_bytes) {
    const frames = this.frames.get(way);
    if (frames === undefined || way === "polling") return [];
    this.frames.set(way, frames + 1);
    this.books.meter.message(now_ms, size_bytes);
    const actions = this.perform(now_ms, this.machine.heard(now_ms, way));
    if (way !== this.way) return [...actions, ...this.#greeted(now_ms, way, message)];
    if (message.type === "quotes") {
      return [...actions, ...this.books.quotesCame(now_ms, message)];
    }
    if (message.type === "trades") {
      actions.push(...this.books.tradesCame(now_ms, message));
      return [...actions, ...this.history.mend(now_ms, this.machine)];
    }
    if (message.type === "bars") {
      actions.push(...this.books.barsCame(now_ms, message));
      return [...actions, ...this.history.mend(now_ms, this.machine)];
    }
    return [...actions, ...this.#answered(now_ms, way, message)];
  }

  /**
   * Take what is said over a link that is not in use yet.
   *
   * @param {number} now_ms
   * @param {LinkWay} way
   * @param {Message} message
   * @returns {Action[]}
   */
  #greeted(now_ms, way, message) {
    if (message.type === "welcome") {
      this.#heartbeats_ms.set(way, message.heartbeat_ms);
      this.requests.limit(message.max_message_bytes);
      const required = message.auth === "required";
      if (required) this.machine.greeted(now_ms, way);
      return this.admit(now_ms, this.login.welcomed(now_ms, way, message.time_ms, required));
    }
    const early = ["authenticated", "error", "status"].includes(message.type);
    return early ? this.#answered(now_ms, way, message) : [];
  }

  /**
   * @param {number} now_ms
   * @param {LinkWay} way
   * @param {Message} message
   * @returns {Action[]}
   */
  #answered(now_ms, way, message) {
    switch (message.type) {
      case "pong":
        this.books.meter.ponged(message.id, message.time_ms, now_ms);
        return [];
      case "heartbeat":
        return this.#beat(now_ms, way, message.frames);
      case "status":
        return this.books.statusCame(/** @type {any} */ (message));
      case "subscribed":
        return this.#subscribed(now_ms, way, message);
      case "unsubscribed":
        return this.#unsubscribed(now_ms, way, message);
      case "error":
        return this.#failed(now_ms, way, message);
      case "shutdown":
        this.machine.shutdown(now_ms, way, message.reconnect_ms);
        return [];
      case "authenticated":
        return this.#authenticated(now_ms, way, message);
      default:
        return [];
    }
  }

  /** @param {number} now_ms @param {LinkWay} way @param {number} said @returns {Action[]} */
  #beat(now_ms, way, said) {
    const lost = said - (this.frames.get(way) ?? 0) + 1;
    if (way !== "websocket" || lost <= 0) return [];
    const reason = `${lost} messages were lost on the way`;
    return this.perform(now_ms, this.machine.broken(now_ms, way, reason));
  }

  /** @param {number} now_ms @param {LinkWay} way @param {Message} message @returns {Action[]} */
  #authenticated(now_ms, way, {id, expires_ms}) {
    this.requests.take(way, id);
    const wasIn = this.login.isIn(way);
    const actions = this.admit(now_ms, this.login.authenticated(now_ms, way, expires_ms));
    return wasIn ? [...actions, ...this.follow(this.wanted.allowed(now_ms))] : actions;
  }

  /** @param {number} now_ms @param {LinkWay} way @param {Message} message @returns {Action[]} */
  #subscribed(now_ms, way, {id, failed}) {
    const asked = this.requests.take(way, id);
    if (asked?.kind !== "ask") return [];
    const {channel, interval, symbols, indicators} = asked;
    const actions = this.follow(
      this.wanted.answered(now_ms, channel, interval, symbols, failed, "", indicators));
    const served = symbols.filter((symbol) => failed[symbol] === undefined);
    const loads = this.history.subscribed(now_ms, channel, interval, served, this.machine);
    return [...actions, ...loads];
  }

  /** @param {number} now_ms @param {LinkWay} way @param {Message} message @returns {Action[]} */
  #unsubscribed(now_ms, way, {id, channel, interval = null, symbols}) {
    const asked = this.requests.find(way, id);
    if (asked?.kind !== "unask") {
      return this.follow(this.wanted.dropped(now_ms, channel, interval, symbols));
    }
    this.requests.take(way, id);
    for (const symbol of asked.symbols) {
      // What came since it was forgotten is let go, too.
      if (this.wanted.holds(asked.channel, asked.interval, symbol)) continue;
      this.history.forget(asked.channel, asked.interval, symbol);
    }
    return [];
  }

  /** @param {number} now_ms @param {LinkWay} way @param {Message} error @returns {Action[]} */
  #failed(now_ms, way, {id = null, code, message: reason, symbol = null}) {
    const asked = this.requests.take(way, id);
    if (asked?.kind === "ask") {
      const {channel, interval, symbols, indicators} = asked;
      const failed = Object.fromEntries(symbols.map((symbol) => [symbol, code]));
      return this.follow(
        this.wanted.answered(now_ms, channel, interval, symbols, failed, reason, indicators));
    }
    if (DENIALS.has(code)) {
      const shown = asked ? asked.token ?? null : this.login.token;
      return this.admit(now_ms, this.login.refused(now_ms, way, shown, code, reason));
    }
    if (id !== null || symbol === null || !this.wanted.names(symbol)) return [];
    return this.#troubles.came(now_ms, {do: "trouble", symbol, code, reason});
  }

  /**
   * A load has failed; trouble is told where it is not the connection's.
   *
   * @param {number} now_ms
   * @param {number} id
   * @param {string} code
   * @param {string} reason
   * @returns {Action[]}
   */
  loadFailed(now_ms, id, code, reason) {
    /** @type {Action[]} */
    const actions = [];
    for (const action of this.history.failed(now_ms, id, code, reason)) {
      if (action.do !== "trouble") actions.push(action);
      else if (CONNECTED.has(this.state.state)) actions.push(...this.#troubles.came(now_ms, action));
    }
    return actions;
  }

  // ---- polls and pings

  /**
   * Take the answer to a poll; see `Session.polled`.
   *
   * @param {number} now_ms
   * @param {number} id
   * @param {any} quotes
   * @param {any} status
   * @returns {Action[]}
   */
  polled(now_ms, id, quotes, status) {
    if (!this.#isPolling(id)) return [];
    const {symbols} = this.rounds;
    this.login.accepted();
    this.books.meter.message(now_ms);
    const actions = status === null ? [] : this.books.statusCame(status);
    if (quotes !== null) {
      /** @type {import("./quote_book.js").QuoteRow[]} */
      const told = quotes.rows;
      const rows = told.filter(([symbol]) => this.wanted.holds("quotes", null, symbol));
      actions.push(...this.books.quotesCame(now_ms, {...quotes, rows}, {polled: true}));
    }
    actions.push(...this.follow(this.wanted.answered(now_ms, "quotes", null, symbols, {})));
    const part = this.rounds.answered(quotes?.cursor ?? null);
    return [...actions, ...this.#pollOn(now_ms, part)];
  }

  /**
   * A poll has failed; see `Session.pollFailed`.
   *
   * @param {number} now_ms
   * @param {number} id
   * @param {string} code
   * @param {string} reason
   * @returns {Action[]}
   */
  pollFailed(now_ms, id, code, reason) {
    if (!this.#isPolling(id)) return [];
    const {symbols} = this.rounds;
    if (DENIALS.has(code)) return this.#pollDenied(now_ms, code, reason);
    if (!REFUSALS.has(code) || !symbols.length) {
      this.rounds.end();
      return this.perform(now_ms, this.machine.pollFailed(now_ms, code, reason));
    }
    /** @type {Action[]} */
    let actions = [];
    if (symbols.length === 1) {
      const failed = {[symbols[0]]: code};
      const steps = this.wanted.answered(now_ms, "quotes", null, symbols, failed, reason);
      actions = this.follow(steps);
    }
    return [...actions, ...this.#pollOn(now_ms, this.rounds.refused())];
  }

  /** @param {number} id */
  #isPolling(id) {
    return this.rounds.isCurrent(id) && this.machine.isPolling;
  }

  /** @param {number} now_ms @param {string} code @param {string} reason @returns {Action[]} */
  #pollDenied(now_ms, code, reason) {
    const shown = this.#polledWith;
    if (shown !== this.login.token) return this.perform(now_ms, this.machine.repoll(now_ms));
    // Until there is another token the poll counts as under way.
    this.rounds.hold();
    return this.admit(now_ms, this.login.refused(now_ms, null, shown, code, reason));
  }

  /** @param {import("./rounds.js").Part} part @returns {Poll} */
  #poll(part) {
    this.#polledWith = this.login.token;
    return {do: "poll", ...part};
  }

  /** @param {number} now_ms @param {import("./rounds.js").Part | null} part @returns {Action[]} */
  #pollOn(now_ms, part) {
    if (part !== null) return [this.#poll(part)];
    const actions = this.perform(now_ms, this.machine.pollOk(now_ms));
    return [...actions, ...this.history.polled(now_ms, this.machine)];
  }

  /** @param {number} now_ms @returns {Action[]} */
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
