/**
 * What the feed says, and what comes of it: messages, answers to requests and to polls. Pure. Twin
 * of `dashboard/client/core/conversation.py`.
 *
 * @typedef {import("./situation.js").LinkWay} LinkWay
 * @typedef {import("./session.js").Action} Action
 * @typedef {import("./session.js").Message} Message
 * @typedef {import("./session.js").Way} Way
 */

import {DENIALS} from "quotewire/core/login.js";
import {Troubles} from "quotewire/core/troubles.js";

/** Answers to a poll that are about one of its symbols. */
const REFUSALS = new Set(["unknown_symbol", "forbidden"]);
const CONNECTED = new Set(["live", "polling", "stale"]);

/** A client's talk with one feed. */
export class Conversation {
  #parts;
  #machine;
  #login;
  #wanted;
  #books;
  #history;
  #requests;
  #rounds;
  #troubles = new Troubles();

  /** @param {import("./parts.js").Parts} parts what takes what the feed says, and decides */
  constructor(parts) {
    this.#parts = parts;
    this.#machine = parts.machine;
    this.#login = parts.login;
    this.#wanted = parts.wanted;
    this.#books = parts.books;
    this.#history = parts.history;
    this.#requests = parts.requests;
    this.#rounds = parts.rounds;
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
    const frames = this.#parts.frames.get(way);
    if (frames === undefined || way === "polling") return [];
    this.#parts.frames.set(way, frames + 1);
    this.#books.meter.message(now_ms, size_bytes);
    const actions = this.#parts.perform(now_ms, this.#machine.heard(now_ms, way));
    if (way !== this.#parts.way) return [...actions, ...this.#greeted(now_ms, way, message)];
    if (message.type === "quotes") {
      return [...actions, ...this.#books.quotesCame(now_ms, message)];
    }
    if (message.type === "trades") {
      actions.push(...this.#books.tradesCame(now_ms, message));
      return [...actions, ...this.#history.mend(now_ms, this.#machine)];
    }
    if (message.type === "bars") {
      actions.push(...this.#books.barsCame(now_ms, message));
      return [...actions, ...this.#history.mend(now_ms, this.#machine)];
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
      this.#parts.heartbeats_ms.set(way, message.heartbeat_ms);
      this.#requests.limit(message.max_message_bytes);
      const required = message.auth === "required";
      if (required) this.#machine.greeted(now_ms, way);
      const steps = this.#login.welcomed(now_ms, way, message.time_ms, required);
      return this.#parts.admit(now_ms, steps);
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
        this.#books.meter.ponged(message.id, message.time_ms, now_ms);
        return [];
      case "heartbeat":
        return this.#beat(now_ms, way, message.frames);
      case "status":
        return this.#books.statusCame(/** @type {any} */ (message));
      case "subscribed":
        return this.#subscribed(now_ms, way, message);
      case "unsubscribed":
        return this.#unsubscribed(now_ms, way, message);
      case "error":
        return this.#failed(now_ms, way, message);
      case "shutdown":
        this.#machine.shutdown(now_ms, way, message.reconnect_ms);
        return [];
      case "authenticated":
        return this.#authenticated(now_ms, way, message);
      default:
        return [];
    }
  }

  /** @param {number} now_ms @param {LinkWay} way @param {number} said @returns {Action[]} */
  #beat(now_ms, way, said) {
    const lost = said - (this.#parts.frames.get(way) ?? 0) + 1;
    if (way !== "websocket" || lost <= 0) return [];
    const reason = `${lost} messages were lost on the way`;
    return this.#parts.perform(now_ms, this.#machine.broken(now_ms, way, reason));
  }

  /** @param {number} now_ms @param {LinkWay} way @param {Message} message @returns {Action[]} */
  #authenticated(now_ms, way, {id, expires_ms}) {
    this.#requests.take(way, id);
    const wasIn = this.#login.isIn(way);
    const actions = this.#parts.admit(now_ms, this.#login.authenticated(now_ms, way, expires_ms));
    return wasIn ? [...actions, ...this.#parts.follow(this.#wanted.allowed(now_ms))] : actions;
  }

  /** @param {number} now_ms @param {LinkWay} way @param {Message} message @returns {Action[]} */
  #subscribed(now_ms, way, {id, failed}) {
    const asked = this.#requests.take(way, id);
    if (asked?.kind !== "ask") return [];
    const {channel, interval, symbols, indicators} = asked;
    const actions = this.#parts.follow(
      this.#wanted.answered(now_ms, channel, interval, symbols, failed, "", indicators));
    const served = symbols.filter((symbol) => failed[symbol] === undefined);
    const loads = this.#history.subscribed(now_ms, channel, interval, served, this.#machine);
    return [...actions, ...loads];
  }

  /** @param {number} now_ms @param {LinkWay} way @param {Message} message @returns {Action[]} */
  #unsubscribed(now_ms, way, {id, channel, interval = null, symbols}) {
    const asked = this.#requests.find(way, id);
    if (asked?.kind !== "unask") {
      return this.#parts.follow(this.#wanted.dropped(now_ms, channel, interval, symbols));
    }
    this.#requests.take(way, id);
    for (const symbol of asked.symbols) {
      // What came since it was forgotten is let go, too.
      if (this.#wanted.holds(asked.channel, asked.interval, symbol)) continue;
      this.#history.forget(asked.channel, asked.interval, symbol);
    }
    return [];
  }

  /** @param {number} now_ms @param {LinkWay} way @param {Message} error @returns {Action[]} */
  #failed(now_ms, way, {id = null, code, message: reason, symbol = null}) {
    const asked = this.#requests.take(way, id);
    if (asked?.kind === "ask") {
      const {channel, interval, symbols, indicators} = asked;
      const failed = Object.fromEntries(symbols.map((symbol) => [symbol, code]));
      return this.#parts.follow(
        this.#wanted.answered(now_ms, channel, interval, symbols, failed, reason, indicators));
    }
    if (DENIALS.has(code)) {
      const shown = asked ? asked.token ?? null : this.#login.token;
      return this.#parts.admit(now_ms, this.#login.refused(now_ms, way, shown, code, reason));
    }
    if (id !== null || symbol === null || !this.#wanted.names(symbol)) return [];
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
    for (const action of this.#history.failed(now_ms, id, code, reason)) {
      if (action.do !== "trouble") actions.push(action);
      else if (CONNECTED.has(this.#parts.state.state)) {
        actions.push(...this.#troubles.came(now_ms, action));
      }
    }
    return actions;
  }

  // ---- polls

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
    const {symbols} = this.#rounds;
    this.#login.accepted();
    this.#books.meter.message(now_ms);
    const actions = status === null ? [] : this.#books.statusCame(status);
    if (quotes !== null) {
      /** @type {import("./quote_book.js").QuoteRow[]} */
      const told = quotes.rows;
      const rows = told.filter(([symbol]) => this.#wanted.holds("quotes", null, symbol));
      actions.push(...this.#books.quotesCame(now_ms, {...quotes, rows}, {polled: true}));
    }
    actions.push(...this.#parts.follow(this.#wanted.answered(now_ms, "quotes", null, symbols, {})));
    const part = this.#rounds.answered(quotes?.cursor ?? null);
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
    const {symbols} = this.#rounds;
    if (DENIALS.has(code)) return this.#pollDenied(now_ms, code, reason);
    if (!REFUSALS.has(code) || !symbols.length) {
      this.#rounds.end();
      return this.#parts.perform(now_ms, this.#machine.pollFailed(now_ms, code, reason));
    }
    /** @type {Action[]} */
    let actions = [];
    if (symbols.length === 1) {
      const failed = {[symbols[0]]: code};
      const steps = this.#wanted.answered(now_ms, "quotes", null, symbols, failed, reason);
      actions = this.#parts.follow(steps);
    }
    return [...actions, ...this.#pollOn(now_ms, this.#rounds.refused())];
  }

  /** @param {number} id */
  #isPolling(id) {
    return this.#rounds.isCurrent(id) && this.#machine.isPolling;
  }

  /** @param {number} now_ms @param {string} code @param {string} reason @returns {Action[]} */
  #pollDenied(now_ms, code, reason) {
    const shown = this.#parts.polled_with;
    if (shown !== this.#login.token) {
      return this.#parts.perform(now_ms, this.#machine.repoll(now_ms));
    }
    // Until there is another token the poll counts as under way.
    this.#rounds.hold();
    return this.#parts.admit(now_ms, this.#login.refused(now_ms, null, shown, code, reason));
  }

  /** @param {number} now_ms @param {import("./rounds.js").Part | null} part @returns {Action[]} */
  #pollOn(now_ms, part) {
    if (part !== null) return [this.#parts.poll(part)];
    const actions = this.#parts.perform(now_ms, this.#machine.pollOk(now_ms));
    return [...actions, ...this.#history.polled(now_ms, this.#machine)];
  }
}
