/**
 * A day of reconnects for a session, in simulated time: a feed, a network and a shell without I/O,
 * and a ledger of what is told. The Python twin is `tests/client/simulated_feed.py`.
 */

import {Session} from "quotewire/core/session.js";

const HEARTBEAT_MS = 5000;
const MINUTE_MS = 60000;
const SETTLED_MS = 30000;
const LOG = 40;
const HISTORY = 300;
const SYMBOLS = ["AAPL", "IBM", "NEW", "GOLD"];
const KEPT = [
  {channel: "quotes", symbols: ["GOLD"]},
  {channel: "trades", symbols: ["GOLD"]},
  {channel: "bars", symbols: ["GOLD"], interval: "1m", history: 50},
];
const WANTS = [
  {channel: "quotes", symbols: ["AAPL", "IBM", "NEW"]},
  {channel: "quotes", symbols: ["AAPL"], max_hz: 1},
  {channel: "trades", symbols: ["AAPL", "NEW"]},
  {channel: "bars", symbols: ["IBM"], interval: "1m", history: 100},
  {channel: "bars", symbols: ["IBM", "AAPL"], interval: "1m", indicators: ["SMA(20)"]},
];

/** A small generator of numbers in [0, 1), so that a run can be had again (mulberry32). */
function seeded(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function check(holds, what) {
  if (!holds) throw new Error(JSON.stringify(what));
}

/** Events in order of their time. */
class Agenda {
  #heap = [];
  #count = 0;

  get size() {
    return this.#heap.length;
  }

  next() {
    return this.#heap[0]?.at ?? Infinity;
  }

  add(at, call) {
    const heap = this.#heap;
    let place = heap.push({at, order: (this.#count += 1), call}) - 1;
    while (place && before(heap[place], heap[(place - 1) >> 1])) {
      swap(heap, place, (place - 1) >> 1);
      place = (place - 1) >> 1;
    }
  }

  take() {
    const heap = this.#heap;
    swap(heap, 0, heap.length - 1);
    const first = heap.pop();
    for (let place = 0; ;) {
      const children = [2 * place + 1, 2 * place + 2].filter((child) => child < heap.length);
      const least = children.reduce((a, b) => (before(heap[b], heap[a]) ? b : a), place);
      if (least === place) return first;
      swap(heap, place, least);
      place = least;
    }
  }
}

function before(one, other) {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

function swap(heap, one, other) {
  [heap[one], heap[other]] = [heap[other], heap[one]];
}

/** Everything around a session. */
export class World {
  events = 0;
  states = {};
  told = {trades: 0, finals: 0, lost: 0};
  #now_ms = 0;
  #agenda = new Agenda();
  #network = "good";
  #markets = new Map(SYMBOLS.map((symbol) => [symbol, emptyMarket("e0")]));
  #epochs = 0;
  #unknown = new Set();
  #links = new Map();
  #tick_ms = null;
  #wanted = [];
  #calm_ms = 0;
  #hidden = false;
  #said = "";
  #offset = null;
  #start_ms = null;

  constructor(seed, settings) {
    this.random = seeded(seed);
    this.session = new Session(settings, this.random);
    for (const want of KEPT) this.#perform(this.session.want(0, want));
    this.#every(8000, 70000, () => this.#change());
    this.#every(5000, 60000, () => this.#wants());
    this.#every(3000, 3000, () => this.#check());
    for (const symbol of SYMBOLS) this.#every(5000, 20000, () => this.#trade(symbol));
    this.#perform(this.session.start(0));
  }

  /** Let time pass; tell what is held then. */
  run(until_ms) {
    while (this.#agenda.next() <= until_ms) {
      const {at, call} = this.#agenda.take();
      this.#now_ms = at;
      this.events += 1;
      call();
    }
    const {reconnects} = this.session.meter.counts;
    const sizes = {...this.session.sizes(), pending: this.#agenda.size};
    return {sizes, events: this.events, states: this.states, told: this.told, reconnects};
  }

  // ---- chance

  #between(least, most) {
    return least + this.random() * (most - least);
  }

  #choice(list) {
    return list[Math.floor(this.random() * list.length)];
  }

  #at(after_ms, call) {
    this.#agenda.add(this.#now_ms + after_ms, call);
  }

  #every(least_ms, most_ms, call) {
    this.#at(this.#between(least_ms, most_ms), () => {
      call();
      this.#every(least_ms, most_ms, call);
    });
  }

  // ---- trouble

  #change() {
    const kind = this.#choice(["drop", "drop", "shutdown", "restart", "network", "network",
      "network", "page", "page", "unknown", "mode", "nothing", "nothing", "nothing"]);
    if (kind === "nothing") return;
    this.#calm_ms = this.#now_ms;
    if (kind === "drop") this.#drop(this.#choice([null, 1006, 4008, 4009]));
    else if (kind === "shutdown") this.#shutDown();
    else if (kind === "restart") this.#beginAnew(this.#choice(SYMBOLS));
    else if (kind === "network") {
      this.#network = this.#choice(["good", "good", "http", "silent", "blocked"]);
      if (this.#network === "blocked") this.#drop(null);
    } else if (kind === "page") {
      this.#hidden = !this.#hidden;
      this.#perform(this.session[this.#hidden ? "hidden" : "visible"](this.#now_ms));
    } else if (kind === "unknown") {
      this.#unknown = new Set(this.#unknown.size ? [] : ["NEW"]);
      this.#drop(null);
    } else {
      const mode = this.#choice(["auto", "auto", "websocket", "polling"]);
      this.#perform(this.session.configure(this.#now_ms, {mode}));
    }
  }

  #wants() {
    if (this.#wanted.length > 8 || (this.#wanted.length && this.random() < 0.5)) {
      const [want] = this.#wanted.splice(Math.floor(this.random() * this.#wanted.length), 1);
      this.#perform(this.session.unwant(this.#now_ms, want));
    } else {
      const want = this.#choice(WANTS);
      this.#wanted.push(want);
      this.#perform(this.session.want(this.#now_ms, want));
    }
  }

  #check() {
    const calm = this.#now_ms - this.#calm_ms > SETTLED_MS;
    if (!calm || this.#network !== "good" || this.#hidden) return;
    const expected = this.session.settings.mode === "polling" ? "polling" : "live";
    check(this.session.state.state === expected, [this.#now_ms, this.session.state]);
  }

  // ---- the shell

  #perform(actions) {
    for (const action of actions) this.#do(action);
    const due_ms = this.session.deadline();
    if (due_ms === null || (this.#tick_ms !== null && this.#tick_ms <= due_ms)) return;
    this.#tick_ms = due_ms;
    this.#at(Math.max(0, due_ms - this.#now_ms), () => {
      if (this.#tick_ms !== due_ms) return;
      this.#tick_ms = null;
      this.#perform(this.session.tick(this.#now_ms));
    });
  }

  #do(action) {
    const {way} = action;
    if (action.do === "open") this.#open(way);
    else if (action.do === "close") this.#links.delete(way);
    else if (action.do === "send") {
      const link = this.#links.get(way);
      if (link && this.#network === "good") this.#later(() => this.#heard(link, action.message));
    } else if (action.do === "poll") this.#later(() => this.#poll(action));
    else if (action.do === "load") this.#later(() => this.#load(action));
    else this.#tell(action);
  }

  #later(call) {
    this.#at(this.#between(2, 60), call);
  }

  // ---- the ledger

  #tell(action) {
    if (action.do === "state") {
      const said = `${action.state} ${action.code} ${action.way}`;
      check(said !== this.#said, ["told twice", action]);
      this.#said = said;
      this.states[action.state] = (this.states[action.state] ?? 0) + 1;
    } else if (action.do === "trades") {
      for (const {symbol, offset} of action.trades) if (symbol === "GOLD") this.#traded(offset);
    } else if (action.do === "bars" && action.symbol === "GOLD") {
      for (const {start_ms} of action.finals) this.#finished(start_ms);
    } else if (action.do === "lost" && action.symbol === "GOLD") {
      this.told.lost += 1;
      if (action.channel === "trades") this.#offset = null;
      else this.#start_ms = null;
    }
  }

  #traded(offset) {
    this.told.trades += 1;
    check(this.#offset === null || offset === this.#offset + 1, ["trade", this.#offset, offset]);
    this.#offset = offset;
  }

  #finished(start_ms) {
    this.told.finals += 1;
    const follows = this.#start_ms === null || start_ms === this.#start_ms + MINUTE_MS;
    check(follows, ["bar", this.#start_ms, start_ms]);
    this.#start_ms = start_ms;
  }

  // ---- links

  #open(way) {
    const link = {way, isIn: false, frames: 0, free_ms: 0, wanted: new Set()};
    this.#links.set(way, link);
    if (way === "relay" || this.#network === "good") this.#later(() => this.#welcome(link));
    else if (this.#network !== "silent") this.#later(() => this.#end(link, null));
  }

  #welcome(link) {
    const time_ms = Math.floor(this.#now_ms);
    this.#say(link, {type: "welcome", time_ms, heartbeat_ms: HEARTBEAT_MS, auth: "none",
      max_message_bytes: 65536});
    link.isIn = true;
    this.#at(HEARTBEAT_MS, () => this.#beat(link));
  }

  #beat(link) {
    if (this.#links.get(link.way) !== link) return;
    this.#say(link, {type: "heartbeat", time_ms: this.#now_ms, frames: link.frames});
    this.#at(HEARTBEAT_MS, () => this.#beat(link));
  }

  #drop(number) {
    for (const link of [...this.#links.values()]) this.#end(link, number);
  }

  #shutDown() {
    for (const link of [...this.#links.values()]) {
      const reconnect_ms = Math.floor(this.#between(0, 5000));
      if (link.isIn) this.#say(link, {type: "shutdown", reconnect_ms});
      this.#at(100, () => this.#end(link, 1001));
    }
  }

  #end(link, number) {
    if (this.#links.get(link.way) !== link) return;
    this.#links.delete(link.way);
    this.#perform(this.session.closed(this.#now_ms, link.way, number, "ended"));
  }

  /** In order; what is said into silence is lost with the link. */
  #say(link, message) {
    if (this.#links.get(link.way) !== link) return;
    link.frames += 1;
    if (this.#network !== "good" && link.way !== "relay") return;
    link.free_ms = Math.max(link.free_ms, this.#now_ms + this.#between(1, 20));
    this.#at(link.free_ms - this.#now_ms, () => {
      if (this.#links.get(link.way) !== link) return;
      this.#perform(this.session.received(this.#now_ms, link.way, message, 100));
    });
  }

  // ---- the feed

  #trade(symbol) {
    const now_ms = Math.floor(this.#now_ms);
    const market = this.#markets.get(symbol);
    const changed = move(market, now_ms);
    for (const link of [...this.#links.values()]) {
      if (link.wanted.has(`quotes  ${symbol}`)) this.#say(link, quotesOf(now_ms, symbol, market));
      if (link.wanted.has(`trades  ${symbol}`)) {
        const rows = [[symbol, 1, 1, 0, 0, market.offset]];
        this.#say(link, {type: "trades", event_ms: now_ms, received_ms: now_ms, rows});
      }
      if (link.wanted.has(`bars 1m ${symbol}`)) {
        const rows = changed.map(([start_ms, final]) => bar(symbol, start_ms, now_ms, final));
        const offsets = {[symbol]: market.offset};
        this.#say(link, {type: "bars", interval: "1m", rows, offsets});
      }
    }
  }

  /** Trades of the epoch before are gone, bars are known from their source. */
  #beginAnew(symbol) {
    const {finals, open_ms} = this.#markets.get(symbol);
    const market = emptyMarket(`e${(this.#epochs += 1)}`);
    market.finals = finals.map(([start_ms]) => [start_ms, 0]);
    market.open_ms = open_ms;
    this.#markets.set(symbol, market);
    this.#drop(null);
  }

  #heard(link, {type, id, channel, symbols, interval, since = {}}) {
    if (this.#links.get(link.way) !== link) return;
    if (type === "ping") this.#say(link, {type: "pong", id, time_ms: this.#now_ms});
    else if (type === "unsubscribe") {
      for (const symbol of symbols) link.wanted.delete(`${channel} ${interval ?? ""} ${symbol}`);
      this.#say(link, {type: "unsubscribed", id, channel, symbols, interval});
    } else if (type === "subscribe") {
      const known = symbols.filter((symbol) => !this.#unknown.has(symbol));
      const unknown = symbols.filter((symbol) => this.#unknown.has(symbol));
      const failed = Object.fromEntries(unknown.map((symbol) => [symbol, "unknown_symbol"]));
      this.#say(link, {type: "subscribed", id, channel, symbols: known, failed, interval});
      for (const symbol of known) {
        link.wanted.add(`${channel} ${interval ?? ""} ${symbol}`);
        this.#say(link, this.#first(channel, symbol, since[symbol]));
      }
    }
  }

  /** The state as it is, or what came since. */
  #first(channel, symbol, since) {
    const now_ms = Math.floor(this.#now_ms);
    const market = this.#markets.get(symbol);
    if (channel === "quotes") return quotesOf(now_ms, symbol, market, {snapshot: true});
    const reaches = since?.[0] === market.epoch && since[1] >= market.offset - LOG;
    const recovered = since ? {[symbol]: reaches} : {};
    const after = reaches ? since[1] : market.offset;
    if (channel === "trades") {
      const rows = market.trades.filter(([, offset]) => offset > after)
        .map(([time_ms, offset]) => [symbol, 1, 1, time_ms - now_ms, 0, offset]);
      const positions = {[symbol]: [market.epoch, market.offset]};
      return {type: "trades", event_ms: now_ms, received_ms: now_ms, rows, positions, recovered};
    }
    const rows = market.finals.filter(([, offset]) => offset > after)
      .map(([start_ms]) => bar(symbol, start_ms, now_ms, true));
    if (market.open_ms !== null) rows.push(bar(symbol, market.open_ms, now_ms, false));
    return {type: "bars", interval: "1m", rows, epochs: {[symbol]: market.epoch}, snapshot: true,
      offsets: {[symbol]: market.offset}, recovered};
  }

  // ---- requests

  #poll({id, symbols}) {
    if (this.#network === "silent") return;
    if (this.#network === "blocked") {
      this.#perform(this.session.pollFailed(this.#now_ms, id, "unreachable", "no"));
    } else if (symbols.some((symbol) => this.#unknown.has(symbol))) {
      this.#perform(this.session.pollFailed(this.#now_ms, id, "unknown_symbol", "no"));
    } else {
      const now_ms = Math.floor(this.#now_ms);
      const parts = symbols.map((symbol) =>
        quotesOf(now_ms, symbol, this.#markets.get(symbol), {snapshot: true}));
      const quotes = parts.length === 0 ? null : {
        ...parts[0],
        rows: parts.flatMap(({rows}) => rows),
        details: Object.assign({}, ...parts.map(({details}) => details)),
      };
      const status = {sources: [{source: "replay", state: "live"}]};
      this.#perform(this.session.polled(this.#now_ms, id, quotes, status));
    }
  }

  #load({way, id, channel, symbol, limit, start_ms}) {
    const isDirect = way !== "relay";
    if (isDirect && this.#network === "silent") return;
    if ((isDirect && this.#network === "blocked") || this.random() < 0.05) {
      this.#perform(this.session.loadFailed(this.#now_ms, id, "unreachable", "no"));
      return;
    }
    const market = this.#markets.get(symbol);
    const body = channel === "trades"
      ? tradeSeries(symbol, market, limit)
      : barSeries(symbol, market, limit, start_ms ?? 0, Math.floor(this.#now_ms));
    this.#perform(this.session.loaded(this.#now_ms, id, body));
  }
}

function emptyMarket(epoch) {
  return {epoch, offset: 0, trades: [], finals: [], open_ms: null};
}

/** Trade once; tell the bars that changed: their starts, and whether they are final. */
function move(market, now_ms) {
  market.offset += 1;
  market.trades.push([now_ms, market.offset]);
  if (market.trades.length > HISTORY) market.trades.shift();
  const start_ms = Math.floor(now_ms / MINUTE_MS) * MINUTE_MS;
  const changed = [];
  if (market.open_ms !== null && market.open_ms < start_ms) {
    market.finals.push([market.open_ms, market.offset]);
    if (market.finals.length > HISTORY) market.finals.shift();
    changed.push([market.open_ms, true]);
  }
  market.open_ms = start_ms;
  return [...changed, [start_ms, false]];
}

function quotesOf(now_ms, symbol, {epoch, offset}, {snapshot = false} = {}) {
  const rows = [[symbol, 1, 1, null, null, 1, 0, 0, offset, 1]];
  const message = {type: "quotes", event_ms: now_ms, received_ms: now_ms, rows};
  if (!snapshot) return message;
  const details = {[symbol]: [1, 1, 1, null, "2020-01-01", epoch, null]};
  return {...message, details, snapshot};
}

function bar(symbol, start_ms, now_ms, final) {
  return [symbol, "1m", start_ms, 1, 1, 1, 1, 1, now_ms, final];
}

function tradeSeries(symbol, {epoch, offset, trades}, limit) {
  const told = trades.slice(-limit);
  const ones = told.map(() => 1);
  return {symbol, epoch, offset, time_ms: told.map(([time_ms]) => time_ms), price: ones,
    size: ones, offsets: told.map(([, at]) => at)};
}

function barSeries(symbol, {epoch, offset, finals, open_ms}, limit, start_ms, now_ms) {
  const held = finals.map(([start]) => [start, true]);
  if (open_ms !== null) held.push([open_ms, false]);
  const wanted = held.filter(([start]) => start >= start_ms);
  const isCut = finals.length === HISTORY && held[0][0] > start_ms;
  const told = wanted.slice(-limit);
  const ones = told.map(() => 1);
  return {symbol, interval: "1m", epoch, offset, time_ms: now_ms,
    start_ms: told.map(([start]) => start), open: ones, high: ones, low: ones, close: ones,
    volume: ones, final: told.map(([, final]) => final), more: wanted.length > limit || isCut};
}
