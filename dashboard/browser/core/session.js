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
 * @typedef {import("./situation.js").LinkWay} LinkWay
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
 * @typedef {{do: "trades", trades: import("./trades.js").Trade[]}} TradesChanged each once, a symbol's in order
 * @typedef {{do: "lost", channel: Channel, symbol: string, interval: string | null, code: string,
 *   reason: string}} Lost a gap that cannot be mended; told before the data after it
 * @typedef {{do: "failed", channel: Channel, symbol: string, interval: string | null, code: string,
 *   reason: string, indicators: string[]}} Failed told once for as long as it is so; where indicators
 *   are named, to those alone who want one of them
 * @typedef {{do: "trouble", symbol: string, code: string, reason: string}} Trouble a source has it
 *   with a symbol that is wanted, or its history cannot be had; it is still subscribed to
 * @typedef {{do: "status", sources: Map<string, SourceStatus>}} StatusChanged by name
 *
 * @typedef {Open | Close | Send | Poll | Load | Renew | StateChanged | QuotesChanged | BarsChanged
 *   | TradesChanged | Lost | Failed | Trouble | StatusChanged} Action
 */

import {Conversation} from "quotewire/core/conversation.js";
import {Parts} from "quotewire/core/parts.js";

const DEFAULTS = Object.freeze({
  mode: /** @type {Mode} */ ("auto"),
  poll_ms: 1000,
  max_hz: 0,
  relay: false,
  renewable: false,
});

/**
 * A client of one feed. Every method that takes `now_ms`, but `painted` and `age`, returns what is to
 * be done, in order; each may be called at any time, in any order.
 */
export class Session {
  #parts;
  #talk;

  /**
   * @param {Settings} [settings]
   * @param {() => number} [random] uniform in [0, 1), for the jitter
   */
  constructor(settings = {}, random = Math.random) {
    this.settings = {...DEFAULTS, ...settings};
    this.#parts = new Parts(this.settings, random);
    this.#talk = new Conversation(this.#parts);
  }

  /** @returns {StateChanged} as it was told last */
  get state() {
    return this.#parts.state;
  }

  // ---- life

  /** Begin, also after the end; else nothing. @param {number} now_ms @returns {Action[]} */
  start(now_ms) {
    const steps = this.#parts.machine.start(now_ms);
    if (steps.length) this.#parts.login.restart();
    return this.#parts.perform(now_ms, steps);
  }

  /** End. What is wanted and held is kept. @param {number} now_ms @returns {Action[]} */
  stop(now_ms) {
    return this.#parts.perform(now_ms, this.#parts.machine.stop(now_ms));
  }

  /** Do what is due; nothing, where it is too early. @param {number} now_ms @returns {Action[]} */
  tick(now_ms) {
    return [
      ...this.#parts.perform(now_ms, this.#parts.machine.tick(now_ms)),
      ...this.#parts.admit(now_ms, this.#parts.login.tick(now_ms)),
      ...this.#parts.follow(this.#parts.wanted.tick(now_ms)),
      ...this.#parts.history.tick(now_ms, this.#parts.machine),
      ...this.#parts.ping(now_ms),
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
      this.#parts.machine.deadline(),
      this.#parts.login.deadline(),
      this.#parts.wanted.deadline(),
      this.#parts.machine.isHidden ? null : this.#parts.history.deadline(),
      this.#parts.ping_ms,
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
    const actions = this.#parts.perform(now_ms, this.#parts.machine.configure(now_ms, changes));
    if (changes.max_hz === undefined) return actions;
    return [...actions, ...this.#parts.follow(this.#parts.wanted.configure(changes.max_hz))];
  }

  /** The network is back: what waits is tried at once. @param {number} now_ms @returns {Action[]} */
  online(now_ms) {
    return this.#parts.perform(now_ms, this.#parts.machine.online(now_ms));
  }

  /** The page is seen again: it catches up. @param {number} now_ms @returns {Action[]} */
  visible(now_ms) {
    this.#parts.books.meter.seen(true);
    const actions = this.#parts.perform(now_ms, this.#parts.machine.visible(now_ms));
    if (this.#parts.way !== null) this.#parts.ping_ms ??= now_ms;
    return actions;
  }

  /** Nobody sees the page: it asks for nothing. @param {number} now_ms @returns {Action[]} */
  hidden(now_ms) {
    this.#parts.books.meter.seen(false);
    this.#parts.ping_ms = null;
    return this.#parts.perform(now_ms, this.#parts.machine.hidden(now_ms));
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
    const actions = this.#parts.admit(now_ms, this.#parts.login.take(token));
    const again = this.#parts.machine.token(now_ms);
    if (again.length) this.#parts.login.restart();
    actions.push(...this.#parts.perform(now_ms, again));
    if (this.#parts.way === null) {
      actions.push(...this.#parts.follow(this.#parts.wanted.allowed(now_ms)));
      if (this.#parts.rounds.isHeld) {
        actions.push(...this.#parts.perform(now_ms, this.#parts.machine.repoll(now_ms)));
      }
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
    const actions = this.#parts.follow(this.#parts.wanted.want(want));
    if (!want.history || !want.interval) return actions;
    const held = Object.keys(this.#parts.books.positions("bars", want.interval, want.symbols));
    const {history, machine} = this.#parts;
    return [...actions, ...history.wanted(now_ms, want.interval, held, machine)];
  }

  /**
   * End what the same want began. The feed is told, and what is held is let go, 2 s later.
   *
   * @param {number} now_ms
   * @param {Want} want
   * @returns {Action[]}
   */
  unwant(now_ms, want) {
    return this.#parts.follow(this.#parts.wanted.unwant(now_ms, want));
  }

  /**
   * Load so many bars before the earliest that is held, of a series that is wanted. They come as
   * `bars`. Nothing is done where there are none, see `hasOlder`; to ask once more while they are on
   * their way does no harm.
   *
   * @param {number} now_ms
   * @param {string} symbol
   * @param {string} interval
   * @param {number} bars
   * @returns {Action[]}
   */
  older(now_ms, symbol, interval, bars) {
    if (this.state.state === "closed") return [];
    return this.#parts.history.older(now_ms, symbol, interval, bars, this.#parts.machine);
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
    return this.#talk.received(now_ms, way, message, size_bytes);
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
    if (!this.#parts.frames.has(way) || way === "polling") return [];
    this.#parts.unlink(way);
    return this.#parts.perform(now_ms, this.#parts.machine.closed(now_ms, way, number, reason));
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
    return this.#talk.polled(now_ms, id, quotes, status);
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
    return this.#talk.pollFailed(now_ms, id, code, reason);
  }

  /** Take the answer to a `load`. @param {number} now_ms @param {number} id @param {any} series */
  loaded(now_ms, id, series) {
    return this.#parts.history.loaded(now_ms, id, series, this.#parts.machine);
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
    return this.#talk.loadFailed(now_ms, id, code, reason);
  }

  /** Quotes told of so far have been painted, or handed over. @param {number} now_ms */
  painted(now_ms) {
    this.#parts.books.meter.shown(now_ms);
  }

  /**
   * Take what instruments there are: which source tells each, and which are replayed.
   *
   * @param {Iterable<import("../protocol.js").SymbolInfo>} symbols
   */
  symbols(symbols) {
    this.#parts.books.symbolsCame(symbols);
  }

  // ---- what is known

  /** What is measured and counted. */
  get meter() {
    return this.#parts.books.meter;
  }

  /** @returns {Map<string, SourceStatus>} what the feed said of its sources, by name */
  get sources() {
    return this.#parts.books.sources;
  }

  /** The newest quote of a symbol that is wanted. @param {string} symbol */
  quote(symbol) {
    return this.#parts.books.quote(symbol);
  }

  /** Bars of a series, oldest first; not to be changed. @param {string} symbol @param {string} interval */
  bars(symbol, interval) {
    return this.#parts.books.bars(symbol, interval);
  }

  /**
   * Why the feed does not give something that is wanted; null where it does. It is told once: who
   * comes later to want the same has to ask.
   *
   * @param {Channel} channel
   * @param {string | null} interval
   * @param {string} symbol
   * @param {string[]} [indicators]
   */
  failure(channel, interval, symbol, indicators = []) {
    return this.#parts.wanted.failure(channel, interval, symbol, indicators);
  }

  /** The last trades of a symbol that is wanted, oldest first. @param {string} symbol */
  trades(symbol) {
    return this.#parts.books.trades(symbol);
  }

  /** Names of an indicator's outputs; empty before history told them. @param {string} indicator */
  outputs(indicator) {
    return this.#parts.books.outputs(indicator);
  }

  /** How old a symbol's quote is, and whether it is too old. @param {string} symbol @param {number} now_ms */
  age(symbol, now_ms) {
    return this.#parts.books.age(symbol, now_ms);
  }

  /** Whether the history of a series is there that was wanted. @param {string} symbol @param {string} interval */
  isLoaded(symbol, interval) {
    return this.#parts.books.isLoaded(symbol, interval);
  }

  /**
   * Why history that is wanted is not there; null where it may come. It is asked for again, ever more
   * seldom.
   *
   * @param {string} symbol
   * @param {string} interval
   */
  historyFailure(symbol, interval) {
    return this.#parts.history.failure(symbol, interval);
  }

  /**
   * Whether there may be bars before the earliest that is held, and room for them.
   *
   * @param {string} symbol
   * @param {string} interval
   */
  hasOlder(symbol, interval) {
    return this.#parts.history.hasOlder(symbol, interval);
  }

  /** How much is held of what comes and goes, to see that nothing grows. */
  sizes() {
    return {
      wanted: this.#parts.wanted.size,
      requests: this.#parts.requests.size,
      loads: this.#parts.history.size,
      links: this.#parts.frames.size,
      books: this.#parts.books.size,
    };
  }
}
