/**
 * A world for a connection whose time is ours: a clock that jumps from timer to timer, a page that is
 * hidden and shown, and a feed that does as it is told. It counts what is open at any time.
 */

const SYMBOL = "AAPL";
export const HEARTBEAT_MS = 5000;
const EPOCH = "e1";

export class World {
  now_ms = 1_000_000;
  hidden = false;
  /** What the next link meets: "works", "refuses", "silent" from the start, or is "barred" by the browser. */
  link = "works";
  /** Whether requests are answered. */
  http = true;
  /** Whether bars of the past can be had. */
  history = true;
  /** By symbol the code of what the feed does not give. */
  refused = {};
  /** @type {Set<FakeLink>} */
  links = new Set();
  opened = 0;
  asked = 0;
  most = {timers: 0, links: 0};
  page = new Set();
  #timers = new Map();
  #last = 0;
  #random = generator(1);
  /** What the market did last: its number, and when. */
  offset = 0;
  event_ms = 0;

  /** @returns {import("quotewire/environment.js").Environment} */
  get environment() {
    return {
      now: () => this.now_ms,
      random: this.#random,
      setTimeout: (call, wait_ms) => this.after(wait_ms, call),
      clearTimeout: (timer) => this.#timers.delete(timer),
      requestFrame: (call) => this.#frame(call),
      cancelFrame: (frame) => this.#timers.delete(frame),
      isHidden: () => this.hidden,
      watchPage: (listeners) => {
        this.page.add(listeners);
        return () => this.page.delete(listeners);
      },
      direct: () => ({
        open: (handlers) => new FakeLink(this, handlers),
        get: (path) => this.#get(path),
      }),
    };
  }

  get timers() {
    return this.#timers.size;
  }

  after(wait_ms, call) {
    this.#last += 1;
    this.#timers.set(this.#last, {at_ms: this.now_ms + Math.max(0, wait_ms), call});
    this.most.timers = Math.max(this.most.timers, this.#timers.size);
    return this.#last;
  }

  /** Something happens in the market. */
  move() {
    this.offset += 1;
    this.event_ms = this.now_ms;
  }

  cancel(timer) {
    this.#timers.delete(timer);
  }

  /** A hidden page has no frames: this one comes when it is seen again. */
  #frame(call) {
    return this.after(16, () => (this.hidden ? this.#frame(call) : call()));
  }

  show(seen) {
    this.hidden = !seen;
    for (const {onSeen} of [...this.page]) onSeen();
  }

  online() {
    for (const {onOnline} of [...this.page]) onOnline();
  }

  /** Let so much time pass. */
  async pass(span_ms) {
    const end_ms = this.now_ms + span_ms;
    for (;;) {
      await settled();
      const [id, timer] = this.#next();
      if (id === null || timer.at_ms > end_ms) break;
      this.#timers.delete(id);
      this.now_ms = Math.max(this.now_ms, timer.at_ms);
      timer.call();
    }
    this.now_ms = end_ms;
    await settled();
  }

  #next() {
    let [found, first] = [null, {at_ms: Infinity}];
    for (const [id, timer] of this.#timers) {
      if (timer.at_ms < first.at_ms) [found, first] = [id, timer];
    }
    return [found, first];
  }

  /** A random number of ours, so that a run can be repeated. */
  random(least, most) {
    return least + this.#random() * (most - least);
  }

  async #get(path) {
    this.asked += 1;
    if (!this.http) throw new Error("unreachable");
    if (path === "symbols") return {symbols: [{symbol: SYMBOL, source: "test", label: "TEST", decimals: 2}]};
    if (path === "status") return status(this);
    if (path === "quotes") return quotes(this, true);
    if (path === "bars" && !this.history) throw new Error("no history");
    if (path === "bars") return series(this);
    return {symbol: SYMBOL, epoch: EPOCH, offset: this.offset, time_ms: [], price: [], size: [],
      offsets: []};
  }
}

class FakeLink {
  #world;
  #handlers;
  #beats = new Set();
  #frames = 0;
  #silent = false;
  #quoting = false;

  constructor(world, handlers) {
    if (world.link === "barred") throw new DOMException("insecure", "SecurityError");
    this.#world = world;
    this.#handlers = handlers;
    world.opened += 1;
    world.links.add(this);
    world.most.links = Math.max(world.most.links, world.links.size);
    if (world.link === "works") this.#in(20, () => this.#welcome());
    if (world.link === "refuses") this.#in(20, () => this.end(null, "refused"));
  }

  /** What the client says. */
  send(message) {
    if (message.type === "ping") this.#answer({type: "pong", id: message.id});
    if (message.type === "subscribe") this.#subscribe(message);
    if (message.type === "unsubscribe" && message.channel === "quotes") this.#quoting = false;
  }

  /** The client lets go. */
  close() {
    this.#handlers = null;
    this.#stop();
  }

  /** The feed, or the network, lets go. */
  end(number, reason) {
    const handlers = this.#handlers;
    this.close();
    handlers?.onClosed(number, reason);
  }

  say(message) {
    this.#frames += 1;
    this.#handlers?.onMessage({time_ms: this.#world.now_ms, ...message}, 100);
  }

  /** Say nothing from now on, but stay open. */
  fallSilent() {
    this.#silent = true;
    for (const timer of this.#beats) this.#world.cancel(timer);
    this.#beats.clear();
  }

  #welcome() {
    this.say({
      type: "welcome", version: 1, server: "fake", heartbeat_ms: HEARTBEAT_MS, max_hz: 20,
      max_symbols: 100, max_message_bytes: 10_000, max_commands_per_s: 20, auth: "none",
    });
    this.say(status(this.#world));
    this.#beat();
  }

  #beat() {
    this.#in(HEARTBEAT_MS, () => {
      this.#world.move();
      if (this.#quoting) this.say(quotes(this.#world, false));
      this.say({type: "heartbeat", frames: this.#frames});
      this.#beat();
    });
  }

  #subscribe({id, channel, symbols, interval}) {
    this.#answer({type: "subscribed", id, channel, symbols, failed: this.#world.refused, max_hz: 10, interval});
    if (symbols.every((symbol) => symbol in this.#world.refused)) return;
    if (channel !== "quotes") return;
    this.#quoting = true;
    this.#answer(quotes(this.#world, true));
  }

  #answer(message) {
    this.#in(5, () => this.say(message));
  }

  #in(wait_ms, call) {
    if (this.#silent) return;
    const timer = this.#world.after(wait_ms, () => {
      this.#beats.delete(timer);
      call();
    });
    this.#beats.add(timer);
  }

  #stop() {
    this.fallSilent();
    this.#world.links.delete(this);
  }
}

function status() {
  return {
    type: "status",
    sources: [{source: "test", label: "TEST", state: "live", message: "", market_ms: 0, updated_ms: 0}],
    gateway: {server: "fake", rate: 1},
  };
}

function quotes({event_ms, offset}, snapshot) {
  const details = {[SYMBOL]: [10, 10, 10, 9, "2026-01-02", EPOCH, 2]};
  return {
    type: "quotes", event_ms, received_ms: event_ms, snapshot,
    rows: [[SYMBOL, 10 + (offset % 100) / 100, 1, -1, 1, offset, 0, 0, offset, 1]],
    ...(snapshot ? {details, cursor: `fake:${offset}`} : {}),
  };
}

function series({offset}) {
  return {
    symbol: SYMBOL, interval: "1d", epoch: EPOCH, offset, time_ms: 0, start_ms: [0], open: [1],
    high: [1], low: [1], close: [1], volume: [1], final: [false],
  };
}

/** Let all that is resolved be told. */
async function settled() {
  for (let i = 0; i < 12; i += 1) await null;
}

/** Uniform in [0, 1): mulberry32. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
