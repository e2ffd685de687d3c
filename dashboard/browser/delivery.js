/**
 * Hands what changed to those who asked, at most once per animation frame, and no more often than
 * the page's settings allow.
 *
 * Of quotes and bars nothing is queued: a listener gets the newest, however many changes came
 * between. Trades are, each one, up to a bound. A hidden page has no frames, so nothing is delivered
 * there until it is seen again. Likewise one that is paused, but for what was never delivered: who
 * goes to another symbol meanwhile sees how it stands.
 *
 * @typedef {import("./core/quote_book.js").Quote} Quote
 * @typedef {import("./core/bars.js").Bar} Bar
 * @typedef {import("./core/trades.js").Trade} Trade
 * @typedef {{reset: boolean, since_ms: number}} BarChange `reset`: draw all; else what is from
 *   `since_ms` on
 * @typedef {(quotes: Quote[]) => void} QuoteListener
 * @typedef {(bars: readonly Bar[], change: BarChange) => void} BarListener
 * @typedef {(trades: Trade[], skipped: number) => void} TradeListener
 *   `skipped`: how many came before these and were more than a page can take
 *
 * @typedef {{symbols: Set<string>, listener: QuoteListener, pending: Set<string>,
 *   unseen: Set<string>}} QuoteEntry `unseen`: never delivered
 * @typedef {{symbol: string, interval: string, listener: BarListener, whole: boolean,
 *   pending: BarChange | null, unseen: boolean}} BarEntry
 * @typedef {{symbols: Set<string>, listener: TradeListener, pending: Trade[],
 *   skipped: number}} TradeEntry
 */

import {guarded} from "quotewire/listeners.js";
import {pause as pagePause} from "quotewire/pause.js";
import {Pace} from "quotewire/pace.js";

/** Trades that wait for one listener; of more the oldest go. */
const MOST_TRADES = 5000;

export class Delivery {
  #held;
  #environment;
  #onPainted;
  #pause;
  #unpause;
  /** @type {number | null} */
  #frame = null;
  /** @type {number | null} */
  #timer = null;
  #pace = new Pace();
  /** @type {Set<QuoteEntry>} */
  #quoteListeners = new Set();
  /** @type {Set<BarEntry>} */
  #barListeners = new Set();
  /** @type {Set<TradeEntry>} */
  #tradeListeners = new Set();

  /**
   * @param {import("./core/session.js").Session} held what is known
   * @param {import("./environment.js").Environment} environment
   * @param {() => void} onPainted called when a frame's changes are on the screen
   * @param {import("./pause.js").Pause} [pause]
   */
  constructor(held, environment, onPainted, pause = pagePause) {
    this.#held = held;
    this.#environment = environment;
    this.#onPainted = onPainted;
    this.#pause = pause;
    this.#unpause = pause.hear(() => this.#schedule());
  }

  /** @param {number} max_hz deliveries a second at most; 0: as many as there are frames */
  pace(max_hz) {
    this.#pace.configure(max_hz);
  }

  /** Symbols of which someone wants quotes. */
  get quoted() {
    return [...new Set([...this.#quoteListeners].flatMap(({symbols}) => [...symbols]))];
  }

  /** @param {string[]} symbols @param {QuoteListener} listener @returns {() => void} ends it */
  addQuotes(symbols, listener) {
    return this.#add(this.#quoteListeners,
      {symbols: new Set(symbols), listener, pending: new Set(symbols), unseen: new Set(symbols)});
  }

  /**
   * @param {string} symbol
   * @param {string} interval
   * @param {BarListener} listener
   * @param {boolean} whole not before their history is there
   * @returns {() => void} ends it
   */
  addBars(symbol, interval, listener, whole) {
    return this.#add(this.#barListeners,
      {symbol, interval, listener, whole, pending: {reset: true, since_ms: 0}, unseen: true});
  }

  /** @param {string[]} symbols @param {TradeListener} listener @returns {() => void} ends it */
  addTrades(symbols, listener) {
    return this.#add(this.#tradeListeners,
      {symbols: new Set(symbols), listener, pending: [], skipped: 0});
  }

  /** @template T @param {Set<T>} listeners @param {T} entry */
  #add(listeners, entry) {
    listeners.add(entry);
    this.#schedule();
    return () => listeners.delete(entry);
  }

  /** @param {Quote[]} quotes */
  quotesChanged(quotes) {
    for (const {symbols, pending} of this.#quoteListeners) {
      for (const {symbol} of quotes) if (symbols.has(symbol)) pending.add(symbol);
    }
    this.#schedule();
  }

  /** @param {import("./core/session.js").BarsChanged} change */
  barsChanged({symbol, interval, reset, since_ms}) {
    if (since_ms === null && !reset) return;
    for (const entry of this.#barListeners) {
      if (entry.symbol !== symbol || entry.interval !== interval) continue;
      const {pending} = entry;
      entry.pending = {
        reset: reset || (pending?.reset ?? false),
        since_ms: Math.min(since_ms ?? 0, pending?.since_ms ?? Infinity),
      };
    }
    this.#schedule();
  }

  /** What waited for something may be delivered now. */
  again() {
    this.#schedule();
  }

  /** @param {Trade[]} trades */
  tradesCame(trades) {
    for (const entry of this.#tradeListeners) {
      for (const trade of trades) if (entry.symbols.has(trade.symbol)) entry.pending.push(trade);
      const over = entry.pending.length - MOST_TRADES;
      if (over <= 0) continue;
      entry.pending.splice(0, over);
      entry.skipped += over;
    }
    this.#schedule();
  }

  stop() {
    this.#unpause();
    if (this.#frame !== null) this.#environment.cancelFrame(this.#frame);
    if (this.#timer !== null) this.#environment.clearTimeout(this.#timer);
    this.#frame = this.#timer = null;
    for (const listeners of [this.#quoteListeners, this.#barListeners, this.#tradeListeners]) {
      listeners.clear();
    }
  }

  /** In the next frame, or in the first one after the page's pace allows it. */
  #schedule() {
    if (this.#frame !== null || this.#timer !== null) return;
    const now_ms = this.#environment.now();
    if (this.#pace.take(now_ms)) {
      this.#nextFrame();
      return;
    }
    this.#timer = this.#environment.setTimeout(() => {
      this.#timer = null;
      this.#schedule();
    }, Math.max(1, this.#pace.free_ms - now_ms));
  }

  #nextFrame() {
    this.#frame = this.#environment.requestFrame(() => this.#deliver());
  }

  #deliver() {
    this.#frame = null;
    for (const entry of this.#quoteListeners) this.#deliverQuotes(entry);
    for (const entry of this.#barListeners) this.#deliverBars(entry);
    if (!this.#pause.isPaused) for (const entry of this.#tradeListeners) deliverTrades(entry);
    // A task queued in a frame runs after that frame was painted.
    this.#environment.setTimeout(this.#onPainted, 0);
  }

  /** @param {QuoteEntry} entry */
  #deliverQuotes({listener, pending, unseen}) {
    const due = [...pending].filter((symbol) => !this.#pause.isPaused || unseen.has(symbol));
    if (!due.length) return;
    const quotes = due.flatMap((symbol) => this.#held.quote(symbol) ?? []);
    for (const symbol of due) pending.delete(symbol);
    for (const {symbol} of quotes) unseen.delete(symbol);
    if (quotes.length) guarded(() => listener(quotes));
  }

  /**
   * A chart is drawn once, and never from a single bar, but where its history cannot be had.
   *
   * @param {string} symbol
   * @param {string} interval
   */
  #isWhole(symbol, interval) {
    return this.#held.isLoaded(symbol, interval)
      || this.#held.historyFailure(symbol, interval) !== null;
  }

  /** @param {BarEntry} entry */
  #deliverBars(entry) {
    const {symbol, interval, listener, whole, pending, unseen} = entry;
    if (this.#pause.isPaused && !unseen) return;
    const bars = this.#held.bars(symbol, interval);
    if (!pending || !bars.length || (whole && !this.#isWhole(symbol, interval))) return;
    Object.assign(entry, {pending: null, unseen: false});
    guarded(() => listener(bars, pending));
  }
}

/** @param {TradeEntry} entry */
function deliverTrades(entry) {
  const {listener, pending, skipped} = entry;
  if (!pending.length) return;
  Object.assign(entry, {pending: [], skipped: 0});
  guarded(() => listener(pending, skipped));
}
