/**
 * The whole client but its I/O: a connection, what is wanted of it, and what came. Pure.
 *
 * What happens goes in by a method, with the time (UTC epoch milliseconds); what is to be done comes
 * out, as a list of actions. It never waits: `deadline()` says when `tick` is due. A shell opens
 * links, sends requests and holds one timer. Twin of `dashboard/client/core/session.py`.
 *
 * @typedef {"auto" | "websocket" | "polling"} Mode
 * @typedef {"websocket" | "polling" | "relay"} Way `websocket` and `relay` are links
 * @typedef {"connecting" | "live" | "polling" | "stale" | "offline" | "closed"} State
 * @typedef {"quotes" | "bars" | "trades"} Channel
 *
 * @typedef {import("./machine.js").LinkWay} LinkWay
 * @typedef {import("../protocol.js").SourceStatus} SourceStatus
 * @typedef {{type: string} & Record<string, any>} Message as the server said it, parsed
 *
 * @typedef {object} Settings
 * @property {Mode} [mode] auto
 * @property {number} [poll_ms] how often it polls, 1000
 * @property {number} [max_hz] messages a second at most, 0 for the server's default
 * @property {boolean} [relay] whether there is a relay
 * @property {boolean} [renewable] whether the shell can get another token when `renew` asks for one
 *
 * @typedef {object} Want given back as it is to `unwant`
 * @property {Channel} channel
 * @property {string[]} symbols
 * @property {string} [interval] for bars
 * @property {string[]} [indicators] to be computed at each bar, such as `SMA(20)`
 * @property {number} [max_hz] 0 for what the settings say; of several wants the highest counts
 * @property {number} [history] bars to be loaded before the live ones; of several the most counts
 *
 * To do:
 * @typedef {{do: "open", way: LinkWay}} Open what the link says goes to `received`, its end to `closed`
 * @typedef {{do: "close", way: LinkWay}} Close nothing of it is wanted any more, not even its end
 * @typedef {{do: "send", way: LinkWay, message: object}} Send
 * @typedef {{do: "poll", id: number, symbols: string[], since: string | null}} Poll ask `/api/status`
 *   and `/api/quotes` (where there are symbols), answer by `polled` or `pollFailed`
 * @typedef {{do: "load", way: "polling" | "relay", id: number, channel: "bars" | "trades",
 *   symbol: string, limit: number, interval: string | null, start_ms: number | null,
 *   end_ms: number | null, indicators: string[]}} Load ask `/api/bars` or `/api/trades`, answer by
 *   `loaded` or `loadFailed`
 * @typedef {{do: "renew"}} Renew get another token, give it to `token`
 *
 * To tell:
 * @typedef {{do: "state", state: State, code: string, reason: string, way: Way,
 *   at_ms: number}} StateChanged
 * @typedef {{do: "quotes", quotes: import("./quote_book.js").Quote[], pushed: boolean}} QuotesChanged each symbol once;
 *   `pushed`: one change after another, so that latency can be measured
 * @typedef {{do: "bars", symbol: string, interval: string, reset: boolean,
 *   since_ms: number | null, finals: import("./bars.js").Bar[]}} BarsChanged `since_ms`: start of the
 *   earliest that changed, `finals`: those that became final, in order
 * @typedef {{do: "trades", trades: import("./trade_book.js").Trade[]}} TradesChanged each once, a symbol's in order
 * @typedef {{do: "lost", channel: Channel, symbol: string, interval: string | null, code: string,
 *   reason: string}} Lost a gap that cannot be mended; told before the data after it
 * @typedef {{do: "failed", channel: Channel, symbol: string, interval: string | null, code: string,
 *   reason: string}} Failed told once for as long as it is so
 * @typedef {{do: "status", sources: Map<string, SourceStatus>}} StatusChanged by name
 *
 * @typedef {Open | Close | Send | Poll | Load | Renew | StateChanged | QuotesChanged | BarsChanged
 *   | TradesChanged | Lost | Failed | StatusChanged} Action
 */

import {Books} from "quotewire/core/books.js";
import {History} from "quotewire/core/history.js";
import {LIMITS} from "quotewire/core/limits.js";
import {DENIALS, Login} from "quotewire/core/login.js";
import {Machine} from "quotewire/core/machine.js";
import {Requests} from "quotewire/core/requests.js";
import {Rounds} from "quotewire/core/rounds.js";
import {Subscriptions} from "quotewire/core/subscriptions.js";

const DEFAULTS = Object.freeze({
  mode: /** @type {Mode} */ ("auto"),
  poll_ms: 1000,
  max_hz: 0,
  relay: false,
  renewable: false,
});

/** Answers to a poll that are about one of its symbols. */
const REFUSALS = new Set(["unknown_symbol", "forbidden"]);

/**
 * A client of one feed. Every method that takes `now_ms`, but `painted` and `age`, returns what is to
 * be done, in order; each may be called at any time, in any order.
 */
export class Session {
  /** @type {StateChanged} as it was told last */
  state = {do: "state", state: "connecting", code: "idle", reason: "not started yet",
    way: "websocket", at_ms: 0};
  #books = new Books();
  #rounds = new Rounds();
  #requests = new Requests(this.#books);
  #machine;
  #login;
  #wanted;
  #history;
  /** @type {Map<Way, number>} messages that came, by link */
  #frames = new Map();
  /** @type {Map<Way, number>} by link */
  #heartbeats_ms = new Map();
  /** @type {LinkWay | null} over which commands are sent */
  #way = null;
  /** @type {number | null} */
  #ping_ms = null;
  /** @type {string | null} the token that the poll under way shows */
  #polledWith = null;

  /**
   * @param {Settings} [settings]
   * @param {() => number} [random] uniform in [0, 1), for the jitter
   */
  constructor(settings = {}, random = Math.random) {
    this.settings = {...DEFAULTS, ...settings};
    this.#machine = new Machine({...this.settings, random});
    this.#login = new Login(this.settings.renewable);
    this.#wanted = new Subscriptions(this.settings.max_hz);
    this.#history = new History(this.#wanted, this.#books, random);
  }

  // ---- life

  /** Begin, also after the end; else nothing. @param {number} now_ms @returns {Action[]} */
  start(now_ms) {
    const steps = this.#machine.start(now_ms);
    if (steps.length) this.#login.restart();
    return this.#perform(now_ms, steps);
  }

  /** End. What is wanted and held is kept. @param {number} now_ms @returns {Action[]} */
  stop(now_ms) {
    return this.#perform(now_ms, this.#machine.stop(now_ms));
  }

  /** Do what is due; nothing, where it is too early. @param {number} now_ms @returns {Action[]} */
  tick(now_ms) {
    return [
      ...this.#perform(now_ms, this.#machine.tick(now_ms)),
      ...this.#admit(now_ms, this.#login.tick(now_ms)),
      ...this.#follow(this.#wanted.tick(now_ms)),
      ...this.#history.tick(now_ms, this.#machine),
      ...this.#ping(now_ms),
    ];
  }

  /**
   * When the next `tick` is due, or null. Most messages put it off. A shell need not move its timer
   * then: a tick that comes too early does nothing, and the deadline after it says when to come
   * again.
   */
  deadline() {
    let due_ms = Infinity;
    for (const at of [
      this.#machine.deadline(),
      this.#login.deadline(),
      this.#wanted.deadline(),
      this.#machine.isHidden ? null : this.#history.deadline(),
      this.#ping_ms,
    ]) due_ms = Math.min(due_ms, at ?? Infinity);
    return due_ms === Infinity ? null : due_ms;
  }

  /**
   * Change settings.
   *
   * @param {number} now_ms
   * @param {{mode?: Mode, poll_ms?: number, max_hz?: number, relay?: boolean}} changes
   * @returns {Action[]}
   */
  configure(now_ms, changes) {
    this.settings = {...this.settings, ...changes};
    const actions = this.#perform(now_ms, this.#machine.configure(now_ms, changes));
    if (changes.max_hz === undefined) return actions;
    return [...actions, ...this.#follow(this.#wanted.configure(changes.max_hz))];
  }

  /** The network is back: what waits is tried at once. @param {number} now_ms @returns {Action[]} */
  online(now_ms) {
    return this.#perform(now_ms, this.#machine.online(now_ms));
  }

  /** The page is seen again: it catches up. @param {number} now_ms @returns {Action[]} */
  visible(now_ms) {
    this.#books.meter.seen(true);
    const actions = this.#perform(now_ms, this.#machine.visible(now_ms));
    if (this.#way !== null) this.#ping_ms ??= now_ms;
    return actions;
  }

  /** Nobody sees the page: it asks for nothing. @param {number} now_ms @returns {Action[]} */
  hidden(now_ms) {
    this.#books.meter.seen(false);
    this.#ping_ms = null;
    return this.#perform(now_ms, this.#machine.hidden(now_ms));
  }

  /**
   * Show this token from now on; also before `start`, and as the answer to `renew`. An open link is
   * kept and shows it; a session that was closed for want of it starts again.
   *
   * @param {number} now_ms
   * @param {string} token
   * @returns {Action[]}
   */
  token(now_ms, token) {
    const actions = this.#admit(now_ms, this.#login.take(token));
    const again = this.#machine.token(now_ms);
    if (again.length) this.#login.restart();
    actions.push(...this.#perform(now_ms, again));
    if (this.#way === null) {
      actions.push(...this.#follow(this.#wanted.allowed(now_ms)));
      if (this.#rounds.isHeld) actions.push(...this.#perform(now_ms, this.#machine.repoll(now_ms)));
    }
    return actions;
  }

  // ---- what is wanted

  /**
   * Begin to get something; wants are counted, and kept across all that happens. What is held already
   * of it is not told again: see `quote` and `bars`.
   *
   * @param {number} now_ms
   * @param {Want} want
   * @returns {Action[]}
   */
  want(now_ms, want) {
    const actions = this.#follow(this.#wanted.want(want));
    if (!want.history || !want.interval) return actions;
    const held = Object.keys(this.#books.positions("bars", want.interval, want.symbols));
    return [...actions, ...this.#history.wanted(now_ms, want.interval, held, this.#machine)];
  }

  /**
   * End what the same want began. The feed is told, and what is held is let go, 2 s later.
   *
   * @param {number} now_ms
   * @param {Want} want
   * @returns {Action[]}
   */
  unwant(now_ms, want) {
    return this.#follow(this.#wanted.unwant(now_ms, want));
  }

  // ---- what came

  /**
   * Take a message of a link.
   *
   * @param {number} now_ms
   * @param {Way} way
   * @param {any} message as it was said, parsed; kinds that are not known here do no harm
   * @param {number} [size_bytes]
   * @returns {Action[]}
   */
  received(now_ms, way, message, size_bytes = 0) {
    const frames = this.#frames.get(way);
    if (frames === undefined || way === "polling") return [];
    this.#frames.set(way, frames + 1);
    this.#books.meter.message(now_ms, size_bytes);
    const actions = this.#perform(now_ms, this.#machine.heard(now_ms, way));
    if (way !== this.#way) return [...actions, ...this.#greeted(now_ms, way, message)];
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
   * A link has ended, or could not be opened.
   *
   * @param {number} now_ms
   * @param {Way} way
   * @param {number | null} number the WebSocket's close code, null where there is none
   * @param {string} reason for a person
   * @returns {Action[]}
   */
  closed(now_ms, way, number, reason) {
    if (!this.#frames.has(way) || way === "polling") return [];
    this.#unlink(way);
    return this.#perform(now_ms, this.#machine.closed(now_ms, way, number, reason));
  }

  /**
   * Take the answer to a `poll`.
   *
   * @param {number} now_ms
   * @param {number} id
   * @param {any} quotes the body; null where none were asked for
   * @param {any} [status] the body
   * @returns {Action[]}
   */
  polled(now_ms, id, quotes, status = null) {
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
    actions.push(...this.#follow(this.#wanted.answered(now_ms, "quotes", null, symbols, {})));
    const part = this.#rounds.answered(quotes?.cursor ?? null);
    return [...actions, ...this.#pollOn(now_ms, part)];
  }

  /**
   * A `poll` has failed.
   *
   * @param {number} now_ms
   * @param {number} id
   * @param {string} code the feed's error; `unreachable` where it did not answer
   * @param {string} reason for a person
   * @returns {Action[]}
   */
  pollFailed(now_ms, id, code, reason) {
    if (!this.#isPolling(id)) return [];
    const {symbols} = this.#rounds;
    if (DENIALS.has(code)) return this.#pollDenied(now_ms, code, reason);
    if (!REFUSALS.has(code) || !symbols.length) {
      this.#rounds.end();
      return this.#perform(now_ms, this.#machine.pollFailed(now_ms, code, reason));
    }
    /** @type {Action[]} */
    let actions = [];
    if (symbols.length === 1) {
      const failed = {[symbols[0]]: code};
      actions = this.#follow(this.#wanted.answered(now_ms, "quotes", null, symbols, failed));
    }
    return [...actions, ...this.#pollOn(now_ms, this.#rounds.refused())];
  }

  /** Take the answer to a `load`. @param {number} now_ms @param {number} id @param {any} series */
  loaded(now_ms, id, series) {
    return this.#history.loaded(now_ms, id, series, this.#machine);
  }

  /**
   * A `load` has failed; arguments as for `pollFailed`.
   *
   * @param {number} now_ms
   * @param {number} id
   * @param {string} code
   * @param {string} reason
   */
  loadFailed(now_ms, id, code, reason) {
    return this.#history.failed(now_ms, id, code, reason);
  }

  /** Quotes told of so far have been painted, or handed over. @param {number} now_ms */
  painted(now_ms) {
    this.#books.meter.shown(now_ms);
  }

  /**
   * Take what instruments there are: which source tells each, and which are replayed.
   *
   * @param {Iterable<import("../protocol.js").SymbolInfo>} symbols
   */
  symbols(symbols) {
    this.#books.symbolsCame(symbols);
  }

  // ---- what is known

  /** What is measured and counted. */
  get meter() {
    return this.#books.meter;
  }

  /** @returns {Map<string, SourceStatus>} what the feed said of its sources, by name */
  get sources() {
    return this.#books.sources;
  }

  /** The newest quote of a symbol that is wanted. @param {string} symbol */
  quote(symbol) {
    return this.#books.quote(symbol);
  }

  /** Bars of a series, oldest first; not to be changed. @param {string} symbol @param {string} interval */
  bars(symbol, interval) {
    return this.#books.bars(symbol, interval);
  }

  /** The last trades of a symbol that is wanted, oldest first. @param {string} symbol */
  trades(symbol) {
    return this.#books.trades(symbol);
  }

  /** Names of an indicator's outputs; empty before history told them. @param {string} indicator */
  outputs(indicator) {
    return this.#books.outputs(indicator);
  }

  /** How old a symbol's quote is, and whether it is too old. @param {string} symbol @param {number} now_ms */
  age(symbol, now_ms) {
    return this.#books.age(symbol, now_ms);
  }

  /** Whether the history of a series is there that was wanted. @param {string} symbol @param {string} interval */
  isLoaded(symbol, interval) {
    return this.#books.isLoaded(symbol, interval);
  }

  /** How much is held of what comes and goes, to see that nothing grows. */
  sizes() {
    return {
      wanted: this.#wanted.size,
      requests: this.#requests.size,
      loads: this.#history.size,
      links: this.#frames.size,
      books: this.#books.size,
    };
  }

  // ---- how: what the parts decide becomes actions

  /** @param {number} now_ms @param {import("./machine.js").Action[]} steps @returns {Action[]} */
  #perform(now_ms, steps) {
    /** @type {Action[]} */
    const actions = [];
    for (const step of steps) {
      if (step.do === "subscribe") actions.push(...this.#follow(this.#wanted.linked()));
      else if (step.do === "unsubscribe") actions.push(...this.#rest(step.way));
      else if (step.do === "poll") {
        const symbols = this.#wanted.wanted(now_ms, "quotes").map(({symbol}) => symbol);
        actions.push(this.#poll(this.#rounds.begin(symbols)));
      } else {
        if (step.do === "state") this.#stateChanged(step);
        else if (step.do === "open") this.#frames.set(step.way, 0);
        else if (step.do === "close") this.#unlink(step.way);
        actions.push(step);
      }
    }
    return actions;
  }

  /** @param {import("./subscriptions.js").Action[]} steps @returns {Action[]} */
  #follow(steps) {
    /** @type {Action[]} */
    const actions = [];
    for (const step of steps) {
      if (step.do === "failed") actions.push(step);
      else if (step.do === "forget") this.#history.forget(step.channel, step.interval, step.symbol);
      else if (this.#way === null) continue;
      else if (step.do === "ask") actions.push(...this.#requests.subscribe(this.#way, step));
      else actions.push(...this.#requests.unsubscribe(this.#way, step));
    }
    return actions;
  }

  /** @param {number} now_ms @param {import("./login.js").Action[]} steps @returns {Action[]} */
  #admit(now_ms, steps) {
    /** @type {Action[]} */
    const actions = [];
    for (const step of steps) {
      if (step.do === "renew") actions.push(step);
      else if (step.do === "enter") actions.push(...this.#enter(now_ms, step.way));
      else if (step.do === "deny") {
        const {code, reason} = step;
        actions.push(...this.#perform(now_ms, this.#machine.denied(now_ms, code, reason)));
      } else if (this.#login.token !== null) {
        actions.push(this.#requests.authenticate(step.way, this.#login.token));
      }
    }
    return actions;
  }

  /** @param {number} now_ms @param {LinkWay} way @returns {Action[]} */
  #enter(now_ms, way) {
    if (this.#way !== null) this.#requests.unlinked(this.#way);
    this.#way = way;
    this.#rounds.end();
    this.#books.unlinked();
    this.#books.meter.welcomed();
    this.#ping_ms = this.#machine.isHidden ? null : now_ms;
    const steps = this.#machine.welcome(now_ms, way, this.#heartbeats_ms.get(way) ?? 0);
    return [...this.#perform(now_ms, steps), ...this.#ping(now_ms)];
  }

  /** @param {LinkWay} way */
  #unlink(way) {
    this.#frames.delete(way);
    this.#login.closed(way);
    this.#requests.unlinked(way);
    if (way !== this.#way) return;
    this.#way = this.#ping_ms = null;
    this.#wanted.unlinked();
    this.#books.unlinked();
  }

  /** @param {LinkWay} way @returns {Action[]} */
  #rest(way) {
    const steps = this.#wanted.rest();
    this.#books.unlinked();
    return steps.flatMap((step) =>
      (step.do === "unask" ? this.#requests.unsubscribe(way, step) : []));
  }

  /** @param {StateChanged} changed */
  #stateChanged(changed) {
    this.state = changed;
    this.#books.connection(changed.state);
    if (changed.state !== "closed") return;
    this.#rounds.end();
    this.#history.stop();
  }

  // ---- how: what the feed says but data

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
      this.#requests.limit(message.max_message_bytes);
      const required = message.auth === "required";
      if (required) this.#machine.greeted(now_ms, way);
      return this.#admit(now_ms, this.#login.welcomed(now_ms, way, message.time_ms, required));
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
    const lost = said - (this.#frames.get(way) ?? 0) + 1;
    if (way !== "websocket" || lost <= 0) return [];
    const reason = `${lost} messages were lost on the way`;
    return this.#perform(now_ms, this.#machine.broken(now_ms, way, reason));
  }

  /** @param {number} now_ms @param {LinkWay} way @param {Message} message @returns {Action[]} */
  #authenticated(now_ms, way, {id, expires_ms}) {
    this.#requests.take(way, id);
    const wasIn = this.#login.isIn(way);
    const actions = this.#admit(now_ms, this.#login.authenticated(now_ms, way, expires_ms));
    return wasIn ? [...actions, ...this.#follow(this.#wanted.allowed(now_ms))] : actions;
  }

  /** @param {number} now_ms @param {LinkWay} way @param {Message} message @returns {Action[]} */
  #subscribed(now_ms, way, {id, failed}) {
    const asked = this.#requests.take(way, id);
    if (asked?.kind !== "ask") return [];
    const {channel, interval, symbols} = asked;
    const actions = this.#follow(this.#wanted.answered(now_ms, channel, interval, symbols, failed));
    const served = symbols.filter((symbol) => failed[symbol] === undefined);
    const loads = this.#history.subscribed(now_ms, channel, interval, served, this.#machine);
    return [...actions, ...loads];
  }

  /** @param {number} now_ms @param {LinkWay} way @param {Message} message @returns {Action[]} */
  #unsubscribed(now_ms, way, {id, channel, interval = null, symbols}) {
    const asked = this.#requests.find(way, id);
    if (asked?.kind !== "unask") {
      return this.#follow(this.#wanted.dropped(now_ms, channel, interval, symbols));
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
  #failed(now_ms, way, {id, code, message: reason}) {
    const asked = this.#requests.take(way, id);
    if (asked?.kind === "ask") {
      const {channel, interval, symbols} = asked;
      const failed = Object.fromEntries(symbols.map((symbol) => [symbol, code]));
      return this.#follow(this.#wanted.answered(now_ms, channel, interval, symbols, failed));
    }
    if (!DENIALS.has(code)) return [];
    const shown = asked ? asked.token ?? null : this.#login.token;
    return this.#admit(now_ms, this.#login.refused(now_ms, way, shown, code, reason));
  }

  // ---- how: polls and pings

  /** @param {number} id */
  #isPolling(id) {
    return this.#rounds.isCurrent(id) && this.#machine.isPolling;
  }

  /** @param {number} now_ms @param {string} code @param {string} reason @returns {Action[]} */
  #pollDenied(now_ms, code, reason) {
    const shown = this.#polledWith;
    if (shown !== this.#login.token) return this.#perform(now_ms, this.#machine.repoll(now_ms));
    // Until there is another token the poll counts as under way.
    this.#rounds.hold();
    return this.#admit(now_ms, this.#login.refused(now_ms, null, shown, code, reason));
  }

  /** @param {import("./rounds.js").Part} part @returns {Poll} */
  #poll(part) {
    this.#polledWith = this.#login.token;
    return {do: "poll", ...part};
  }

  /** @param {number} now_ms @param {import("./rounds.js").Part | null} part @returns {Action[]} */
  #pollOn(now_ms, part) {
    if (part !== null) return [this.#poll(part)];
    const actions = this.#perform(now_ms, this.#machine.pollOk(now_ms));
    return [...actions, ...this.#history.polled(now_ms, this.#machine)];
  }

  /** @param {number} now_ms @returns {Action[]} */
  #ping(now_ms) {
    if (this.#ping_ms === null || this.#way === null || now_ms < this.#ping_ms) return [];
    const {id, send} = this.#requests.ping(this.#way);
    const {meter} = this.#books;
    meter.pinged(id, now_ms);
    const enough = meter.answered_pings >= LIMITS.pings;
    this.#ping_ms = now_ms + (enough ? LIMITS.ping_ms : LIMITS.ping_first_ms);
    return [send];
  }
}
