/**
 * The shell around a session: links, requests, one timer and listeners. Elements share one per page
 * and feed: see `registry.js`.
 *
 * @typedef {import("./core/session.js").StateChanged} StateChanged
 * @typedef {import("./core/session.js").Way} Way
 * @typedef {import("./protocol.js").SourceStatus} SourceStatus
 * @typedef {import("./core/session.js").Want} Want
 */

import {Asking} from "quotewire/asking.js";
import {Catalog} from "quotewire/catalog.js";
import {Session} from "quotewire/core/session.js";
import {Delivery} from "quotewire/delivery.js";
import {Drill} from "quotewire/drill.js";
import {browser} from "quotewire/environment.js";
import {Feed} from "quotewire/feed.js";
import {SENSELESS} from "quotewire/feed_error.js";
import {fareDifferently, healthOf} from "quotewire/health.js";
import {Links} from "quotewire/links.js";
import {Listeners, once} from "quotewire/listeners.js";
import {pause} from "quotewire/pause.js";
import {Runner} from "quotewire/runner.js";
import {Timeline} from "quotewire/timeline.js";
import {Traffic} from "quotewire/traffic.js";

export const HISTORY_BARS = 750;
/** States in which the feed answers. */
export const CONNECTED = new Set(["live", "polling", "stale"]);

export class Connection {
  timeline = new Timeline();
  /** @type {SourceStatus[]} */
  sources = [];
  /** All that goes over the links and beside them. */
  traffic;
  /** Failures on purpose. */
  drill;
  #environment;
  #feed;
  #session;
  #catalog;
  #asking;
  #links;
  #delivery;
  #runner;
  #unwatch = () => {};
  #unpause = () => {};
  /** @type {Set<() => void>} the newest is asked */
  #renewers = new Set();
  /** @type {Listeners<StateChanged>} */
  #stateChanged = new Listeners();
  /** @type {Listeners<SourceStatus[]>} */
  #statusChanged = new Listeners();
  /** @type {Listeners<import("./core/session.js").Lost>} */
  #lost = new Listeners();
  /** @type {Listeners<void>} */
  #alerted = new Listeners();
  /** @type {Listeners<number>} */
  #painted = new Listeners();
  /** @type {Set<Want>} */
  #wants = new Set();

  /**
   * @param {string} feedUrl
   * @param {object} [options]
   * @param {Partial<import("./core/session.js").Settings>} [options.settings]
   * @param {string} [options.token]
   * @param {import("./environment.js").Environment} [options.environment]
   */
  constructor(feedUrl, {settings = {}, token = "", environment = browser} = {}) {
    this.#environment = environment;
    this.#feed = new Feed(feedUrl, token);
    this.#session = new Session(settings, environment.random);
    this.#runner = new Runner(this.#session, environment, (action) => this.#act(action));
    this.#catalog = new Catalog(() => this.#links.get(this.state.way, "symbols"), environment);
    this.#catalog.onChange((symbols) => this.#session.symbols(symbols?.values() ?? []));
    this.#asking = new Asking((...asked) => this.#links.get(...asked), this.#runner);
    this.traffic = new Traffic(() => environment.now());
    this.drill = new Drill(environment, (told) => this.timeline.add(told, environment.now()));
    this.#links = new Links(this.#watched(environment.direct(this.#feed), "websocket"), {
      onMessage: (way, message, bytes) => this.#received(way, message, bytes),
      onClosed: (way, number, reason) =>
        this.#runner.run((session, now_ms) => session.closed(now_ms, way, number, reason)),
    });
    this.#delivery = new Delivery(this.#session, environment, () => this.#hasPainted());
    this.#delivery.pace(settings.max_hz ?? 0);
  }

  start() {
    this.#unwatch = this.#environment.watchPage({
      onSeen: () => this.#seen(),
      onOnline: () => this.#runner.run((session, now_ms) => session.online(now_ms)),
    });
    this.#unpause = pause.on(() => this.#measure());
    const {token} = this.#feed;
    if (token) this.#runner.run((session, now_ms) => session.token(now_ms, token));
    this.#runner.run((session, now_ms) => session.start(now_ms));
    if (this.#environment.isHidden()) this.#seen();
    else this.#catalog.load();
  }

  stop() {
    this.#runner.run((session, now_ms) => session.stop(now_ms));
    this.drill.end();
    this.#unwatch();
    this.#unpause();
    this.#catalog.keep(false);
    this.#delivery.stop();
  }

  get feedUrl() {
    return this.#feed.url;
  }

  /** UTC epoch milliseconds by the clock that all times of this connection are of. */
  get now_ms() {
    return this.#environment.now();
  }

  /** @returns {StateChanged} */
  get state() {
    return this.#session.state;
  }

  /** @returns {Map<string, import("./protocol.js").SymbolInfo> | null} null until the feed told */
  get symbols() {
    return this.#catalog.symbols;
  }

  /** Ask at once what symbols there are. Returns when it is known or could not be told. */
  loadSymbols() {
    return this.#catalog.renew();
  }

  /** How data comes in of these symbols; of all that are asked for where none are named. */
  health(symbols = this.#delivery.quoted) {
    const shown = symbols.flatMap((symbol) => this.symbols?.get(symbol)?.source ?? []);
    return healthOf(this.state, this.sources, new Set(shown));
  }

  /** Whether a symbol's price may be out of date, by its own rhythm, and how old it is. @param {string} symbol */
  freshness(symbol) {
    return this.#session.age(symbol, this.#environment.now());
  }

  /** How long ago the feed received a quote, also where its symbol is followed no more. @param {{received_ms: number}} quote */
  ageOf({received_ms}) {
    return Math.max(0, this.#session.meter.serverMs(this.#environment.now()) - received_ms);
  }

  /**
   * Why the feed does not give something that is wanted; null where it does, or may yet.
   *
   * @param {import("./core/session.js").Channel} channel
   * @param {string | null} interval of bars
   * @param {string} symbol
   * @returns {{code: string, reason: string} | null}
   */
  failure(channel, interval, symbol) {
    return this.#session.failure(channel, interval, symbol);
  }

  /** Why bars come without their history; null where it is there, or may come. @param {string} symbol @param {string} interval */
  historyFailure(symbol, interval) {
    return this.#session.historyFailure(symbol, interval);
  }

  /** Counts and measures, as of now. */
  stats() {
    const {meter} = this.#session;
    return {...meter.counts, ...meter.facts(this.#environment.now())};
  }

  /** What elements ask for now: each once for each time that it is asked for. */
  get wants() {
    return [...this.#wants];
  }

  /** @param {Partial<import("./settings.js").Values>} settings to go by from now on */
  configure(settings) {
    if (settings.max_hz !== undefined) this.#delivery.pace(settings.max_hz);
    this.#runner.run((session, now_ms) => session.configure(now_ms, settings));
  }

  /**
   * Use another token from now on. An open connection is kept: it shows the new one there.
   *
   * @param {string} token
   */
  setToken(token) {
    if (token && token !== this.#feed.token) this.renewed(token);
  }

  /** The answer to a listener of `onRenew`, though it be the token that is held. @param {string} token */
  renewed(token) {
    this.#feed.token = token;
    this.#runner.run((session, now_ms) => session.token(now_ms, token));
  }

  /** @param {() => void} listener is called when another token is needed, unless a newer one hears */
  onRenew(listener) {
    this.#renewers.add(listener);
    return () => this.#renewers.delete(listener);
  }

  /** @param {import("./environment.js").Transport | null} relay to be used where nothing else works */
  setRelay(relay) {
    this.#links.relay = relay && this.#watched(relay, "relay");
    this.#runner.run((session, now_ms) => session.configure(now_ms, {relay: relay !== null}));
  }

  /**
   * These three call the listener at once with what is known, and return what ends it.
   *
   * @param {(state: StateChanged) => void} listener
   */
  onState(listener) {
    return this.#stateChanged.add(listener, this.state);
  }

  /** @param {(sources: SourceStatus[]) => void} listener */
  onStatus(listener) {
    return this.#statusChanged.add(listener, this.sources);
  }

  /** @param {(symbols: Map<string, import("./protocol.js").SymbolInfo> | null) => void} listener */
  onSymbols(listener) {
    return this.#catalog.onChange(listener);
  }

  /** @param {() => void} listener hears whenever the user's alerts have changed, while connected */
  onAlerted(listener) {
    return this.#alerted.hear(listener);
  }

  /** @param {(now_ms: number) => void} listener hears when what has changed is on the screen */
  onPainted(listener) {
    return this.#painted.hear(listener);
  }

  /** @param {(lost: import("./core/session.js").Lost) => void} listener hears of each gap that stays */
  onLost(listener) {
    return this.#lost.hear(listener);
  }

  /**
   * @param {string[]} symbols
   * @param {import("./delivery.js").QuoteListener} listener
   * @returns {() => void} ends it
   */
  subscribeQuotes(symbols, listener) {
    return this.#want({channel: "quotes", symbols}, this.#delivery.addQuotes(symbols, listener));
  }

  /**
   * Bars of one series, with their history.
   *
   * @param {string} symbol
   * @param {string} interval
   * @param {import("./delivery.js").BarListener} listener
   * @param {{indicators?: string[], history?: number}} [options]
   * @returns {() => void} ends it
   */
  subscribeBars(symbol, interval, listener, {indicators = [], history = HISTORY_BARS} = {}) {
    const undeliver = this.#delivery.addBars(symbol, interval, listener, history > 0);
    /** @type {Want} */
    const want = {channel: "bars", symbols: [symbol], interval, indicators, history};
    return this.#want(want, undeliver);
  }

  /**
   * Every trade from now on, in order.
   *
   * @param {string[]} symbols
   * @param {import("./delivery.js").TradeListener} listener
   * @returns {() => void} ends it
   */
  subscribeTrades(symbols, listener) {
    return this.#want({channel: "trades", symbols}, this.#delivery.addTrades(symbols, listener));
  }

  /**
   * Ask for something beside what is pushed.
   *
   * @param {string} path
   * @param {Record<string, unknown>} [query]
   * @returns {Promise<any>} the body of `/api/<path>`; rejects with `FeedError` where the feed refuses
   */
  ask(path, query) {
    return this.#links.get(this.state.way, path, query);
  }

  /** What the feed lets the page in with; empty where the page has none. */
  get token() {
    return this.#feed.token;
  }

  /**
   * A link to the feed beside the connection's own, straight from the browser.
   *
   * @param {import("./environment.js").LinkHandlers} handlers
   */
  openBeside(handlers) {
    return this.#environment.direct(this.#feed).open(handlers);
  }

  /**
   * Change something that the feed keeps.
   *
   * @param {import("./environment.js").Method} method
   * @param {string} path
   * @param {import("./environment.js").Change} change
   * @returns {Promise<any>} the answer's body, null where it has none; rejects as `ask`
   */
  change(method, path, change) {
    return this.#links.change(this.state.way, method, path, change);
  }

  /** @param {Want} want @param {() => void} undeliver */
  #want(want, undeliver) {
    this.#wants.add(want);
    this.#runner.run((session, now_ms) => session.want(now_ms, want));
    return once(() => {
      this.#wants.delete(want);
      undeliver();
      this.#runner.run((session, now_ms) => session.unwant(now_ms, want));
    });
  }

  /** @param {import("./environment.js").Transport} transport @param {"websocket" | "relay"} way */
  #watched(transport, way) {
    return this.traffic.tap(this.drill.wrap(transport), way);
  }

  #hasPainted() {
    const now_ms = this.#environment.now();
    this.#session.painted(now_ms);
    this.#painted.tell(now_ms);
  }

  #seen() {
    const hidden = this.#environment.isHidden();
    this.#runner.run((session, now_ms) => (hidden ? session.hidden(now_ms) : session.visible(now_ms)));
    this.#measure();
    this.#keepCatalog();
  }

  /** What waits because the page stands still says nothing of how quick the feed is. */
  #measure() {
    this.#session.meter.seen(!pause.isPaused && !this.#environment.isHidden());
  }

  /** Symbols are asked for as long as someone looks and the feed answers. */
  #keepCatalog() {
    this.#catalog.keep(CONNECTED.has(this.state.state) && !this.#environment.isHidden());
  }

  /** @param {import("./core/session.js").Action} action */
  #act(action) {
    if (action.do === "open") this.#links.open(action.way);
    else if (action.do === "close") this.#links.close(action.way);
    else if (action.do === "send") this.#links.send(action.way, action.message);
    else if (action.do === "poll") this.#asking.poll(action);
    else if (action.do === "load") this.#asking.load(action);
    else if (action.do === "quotes") this.#delivery.quotesChanged(action.quotes);
    else if (action.do === "bars") this.#delivery.barsChanged(action);
    else if (action.do === "trades") this.#delivery.tradesCame(action.trades);
    else if (action.do === "renew") [...this.#renewers].at(-1)?.();
    else this.#tell(action);
  }

  /** @param {import("./timeline.js").Told | import("./core/session.js").StatusChanged} action */
  #tell(action) {
    if (action.do === "status") return this.#applyStatus(action);
    this.timeline.add(action, this.#environment.now());
    if (action.do === "trouble") return this.#delivery.again();
    if (action.do === "lost") return this.#lost.tell(action);
    if (action.do !== "state") return undefined;
    this.#keepCatalog();
    return this.#stateChanged.tell(action);
  }

  /** @param {import("./core/session.js").StatusChanged} change */
  #applyStatus({sources}) {
    const before = this.sources;
    this.sources = [...sources.values()];
    if (before.length && fareDifferently(before, this.sources)) this.#catalog.load();
    this.#statusChanged.tell(this.sources);
  }

  /**
   * What makes no sense ends the link it came by: the next one begins from the start.
   *
   * @param {Way} way
   * @param {{type?: string}} message
   * @param {number} bytes
   */
  #received(way, message, bytes) {
    if (message.type === "alerted") this.#alerted.tell();
    try {
      this.#runner.run((session, now_ms) => session.received(now_ms, way, message, bytes));
    } catch (error) {
      reportError(error);
      this.#links.close(way);
      this.#runner.run((session, now_ms) => session.closed(now_ms, way, null, SENSELESS));
    }
  }
}
