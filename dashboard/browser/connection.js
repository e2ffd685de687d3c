/**
 * The shell around the machine and the book: sockets, requests, timers and listeners. Elements
 * share one per page and feed: see `registry.js`.
 *
 * @typedef {import("./machine.js").State} State
 * @typedef {{state: State, code: string, reason: string, at_ms: number}} StateChange
 */

import {Book} from "quotewire/book.js";
import {Catalog} from "quotewire/catalog.js";
import {Delivery} from "quotewire/delivery.js";
import {Feed} from "quotewire/feed.js";
import {fareDifferently, healthOf} from "quotewire/health.js";
import {History} from "quotewire/history.js";
import {Listeners, once} from "quotewire/listeners.js";
import {Machine} from "quotewire/machine.js";
import {Meter} from "quotewire/meter.js";
import {Poller} from "quotewire/poller.js";
import {decode, denialOfClose, isDenial} from "quotewire/protocol.js";
import {Requests} from "quotewire/requests.js";
import {openSocket, socketUrl} from "quotewire/transports/websocket.js";

const PING_MS = 2000;
const TIMELINE = 100;
const NO_TOKEN = "the feed asks for a token, and this page has none";

export class Connection {
  /** @type {StateChange[]} newest last */
  timeline = [{state: "connecting", code: "starting", reason: "", at_ms: Date.now()}];
  /** @type {import("./protocol.js").SourceStatus[]} */
  sources = [];
  book = new Book();
  #feed;
  #machine;
  #catalog;
  #history;
  #poller;
  #meter = new Meter();
  #requests = new Requests();
  #delivery = new Delivery(this.book, () => this.#meter.painted(Date.now()));
  #socket = null;
  /** The welcome of a socket that is not let in yet. */
  #greeting = null;
  #showsToken = false;
  #timer = 0;
  #ended = new AbortController();
  #stateChanged = new Listeners();
  #statusChanged = new Listeners();

  /**
   * @param {string} feedUrl
   * @param {{mode?: import("./machine.js").Mode, token?: string}} [options]
   */
  constructor(feedUrl, {mode = "auto", token = ""} = {}) {
    this.#feed = new Feed(feedUrl, token);
    this.#machine = new Machine({mode});
    this.#catalog = new Catalog(this.#feed);
    this.#history = new History(this.#feed, this.book, (symbol, interval, change) =>
      this.#delivery.barsChanged(symbol, interval, change));
    this.#poller = new Poller(this.#feed, this.#requests.wanted, this.#catalog, this.#history, {
      onStatus: (message) => this.#applyStatus(message),
      onQuotes: (message) => this.#applyQuotes(message, false),
    });
  }

  start() {
    this.#watchPage();
    this.#run({type: "start"});
    // An answer tells that the feed is back: no need to wait for the next try.
    this.#catalog.onChange((symbols) => symbols && this.#run({type: "online"}));
    this.#catalog.load();
  }

  #watchPage() {
    const {signal} = this.#ended;
    const seen = () => {
      this.#meter.showing(!document.hidden);
      this.#run({type: document.hidden ? "hidden" : "visible"});
    };
    document.addEventListener("visibilitychange", seen, {signal});
    window.addEventListener("online", () => this.#run({type: "online"}), {signal});
    const pings = setInterval(() => this.#ping(), PING_MS);
    signal.addEventListener("abort", () => clearInterval(pings));
    if (document.hidden) seen();
  }

  stop() {
    this.#run({type: "stop"});
    this.#ended.abort();
    this.#delivery.stop();
    this.#catalog.stop();
  }

  get feedUrl() {
    return this.#feed.url;
  }

  get state() {
    return this.timeline.at(-1);
  }

  get mode() {
    return this.#machine.mode;
  }

  /** @returns {Map<string, import("./protocol.js").SymbolInfo> | null} null until the feed told */
  get symbols() {
    return this.#catalog.symbols;
  }

  /** How data comes in of these symbols; of all that are asked for where none are named. */
  health(symbols = this.#requests.wanted.symbols("quotes")) {
    const shown = symbols.map((symbol) => this.symbols?.get(symbol)?.source).filter(Boolean);
    return healthOf(this.state, this.sources, new Set(shown));
  }

  /** Milliseconds since the feed heard last of any of these symbols, null where it never did. */
  ageOf(symbols) {
    const now_ms = Date.now();
    const received = symbols.map((symbol) => this.book.quote(symbol)?.received_ms ?? -Infinity);
    const newest_ms = Math.max(...received);
    return Number.isFinite(newest_ms) ? this.#meter.age(newest_ms, now_ms) : null;
  }

  setMode(mode) {
    this.#run({type: "mode", mode});
  }

  /** Use another token from now on. An open connection is kept: it shows the new one there. */
  setToken(token) {
    if (!token || token === this.#feed.token) return;
    this.#feed.token = token;
    if (this.#showsToken) this.#requests.authenticate(this.#socket, token);
    else this.#run({type: "online"});
    if (this.symbols === null) this.#catalog.load();
  }

  /** Counts and measures, as of now. */
  stats() {
    return {...this.book.counts, ...this.#meter.facts(Date.now())};
  }

  /** These three call the listener at once with what is known, and return what ends it. */
  onState(listener) {
    return this.#stateChanged.add(listener, this.state);
  }

  onStatus(listener) {
    return this.#statusChanged.add(listener, this.sources);
  }

  onSymbols(listener) {
    return this.#catalog.onChange(listener);
  }

  /**
   * @param {string[]} symbols
   * @param {import("./delivery.js").QuoteListener} listener
   * @returns {() => void} ends it
   */
  subscribeQuotes(symbols, listener) {
    const stop = this.#delivery.addQuotes(symbols, listener);
    this.#requests.want("quotes", symbols);
    return once(() => {
      stop();
      for (const symbol of this.#requests.unwant("quotes", symbols)) this.book.forgetQuote(symbol);
    });
  }

  /**
   * Bars of one series, with their history.
   *
   * @param {import("./delivery.js").BarListener} listener
   * @returns {() => void} ends it
   */
  subscribeBars(symbol, interval, listener) {
    const stop = this.#delivery.addBars(symbol, interval, listener);
    if (this.#requests.want("bars", [symbol], interval).length) this.#fill(symbol, interval);
    return once(() => {
      stop();
      const unwanted = this.#requests.unwant("bars", [symbol], interval);
      if (unwanted.length) this.book.forgetBars(symbol, interval);
    });
  }

  #run(event) {
    for (const action of this.#machine.step(Date.now(), event)) this.#act(action);
    const due = this.#machine.deadline();
    clearTimeout(this.#timer);
    if (due === null) return;
    this.#timer = setTimeout(() => this.#run({type: "tick"}), Math.max(0, due - Date.now()));
  }

  /** @param {import("./machine.js").Action} action */
  #act(action) {
    if (action.do === "open") this.#open();
    else if (action.do === "close") this.#close();
    else if (action.do === "poll") this.#poller.ask().then((event) => this.#run(event));
    else if (action.do === "subscribe") this.#requests.subscribeAll();
    else if (action.do === "unsubscribe") this.#requests.unsubscribeAll();
    else this.#say(action);
  }

  #say({state, code, reason, at_ms}) {
    this.timeline = [...this.timeline, {state, code, reason, at_ms}].slice(-TIMELINE);
    if (state === "live" || state === "polling") this.#catalog.load();
    this.#stateChanged.tell(this.state);
  }

  #open() {
    this.#socket = openSocket(socketUrl(this.feedUrl), {
      onMessage: (text) => this.#received(decode(text)),
      onClosed: (reason, number) => {
        this.#leave();
        const code = denialOfClose(number);
        this.#run(code ? {type: "denied", code, reason} : {type: "closed", reason});
      },
    });
  }

  #close() {
    this.#leave();
    this.#socket?.close();
    this.#socket = null;
  }

  #leave() {
    this.#requests.use(null);
    this.#greeting = null;
    this.#showsToken = false;
  }

  #ping() {
    if (this.#machine.state === "live") this.#meter.pinged(this.#requests.ping(), Date.now());
  }

  #received(message) {
    this.#meter.message(Date.now());
    if (message.type === "welcome") this.#welcomed(message);
    else if (message.type === "quotes") this.#applyQuotes(message, !message.snapshot);
    else if (message.type === "bars") this.#applyBars(message);
    else if (message.type === "pong") this.#meter.ponged(message, Date.now());
    else if (message.type === "status") this.#applyStatus(message);
    else if (message.type === "subscribed") this.#subscribed(message);
    else if (message.type === "authenticated") this.#enter();
    else if (message.type === "error") this.#refused(message);
    this.#run({type: "message", data: message.type === "quotes" || message.type === "bars"});
  }

  #welcomed(message) {
    this.#greeting = message;
    this.#showsToken = message.auth === "required" && this.#feed.token !== "";
    if (this.#showsToken) this.#requests.authenticate(this.#socket, this.#feed.token);
    else if (message.auth !== "required") this.#enter();
    else this.#run({type: "denied", code: "auth_required", reason: NO_TOKEN});
  }

  /** Once for a socket; a token shown later only lengthens the stay. */
  #enter() {
    if (this.#greeting === null) return;
    const {heartbeat_ms} = this.#greeting;
    this.#greeting = null;
    this.#meter.welcomed();
    this.#requests.use(this.#socket);
    this.#run({type: "welcome", heartbeat_ms});
    this.#ping();
  }

  /** Who is in already stays until the feed closes the connection, and says why. */
  #refused({code, message}) {
    if (this.#greeting && isDenial(code)) this.#run({type: "denied", code, reason: message});
  }

  /** From here on bars are pushed: what closed before is asked for. */
  #subscribed(message) {
    this.#requests.answered(message);
    const {symbols, interval} = message;
    if (interval) symbols.forEach((symbol) => this.#fill(symbol, interval));
  }

  #applyQuotes(message, measured) {
    const held = new Map(message.rows.map(({symbol}) => [symbol, this.book.quote(symbol)]));
    const changed = this.book.applyQuotes(message);
    this.#meter.rows(Date.now(), changed.length);
    // One that tells of a bar's end alone has the time of the price that was known before.
    const received = ({symbol, received_ms}) => received_ms !== held.get(symbol)?.received_ms;
    if (measured) this.#meter.applied(changed.filter(received));
    this.#delivery.quotesChanged(changed.map(({symbol}) => symbol));
  }

  /** A snapshot may follow a gap: what closed before it is asked for. */
  #applyBars(message) {
    for (const {symbol, interval, change} of this.book.applyBars(message)) {
      this.#delivery.barsChanged(symbol, interval, change);
      const gap = message.snapshot || message.lost.has(symbol);
      if (gap || !this.book.isLoaded(symbol, interval)) this.#fill(symbol, interval);
    }
  }

  #applyStatus({sources}) {
    this.#meter.message(Date.now());
    const reload = fareDifferently(this.sources, sources);
    this.sources = sources;
    if (reload) this.#catalog.load();
    this.#statusChanged.tell(sources);
  }

  #fill(symbol, interval) {
    // Polling asks again by itself.
    this.#history.keepFilled(symbol, interval, () =>
      this.#machine.state === "live" && this.#requests.wanted.has("bars", symbol, interval));
  }
}
