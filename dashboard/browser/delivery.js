/**
 * Hands what changed to those who asked, at most once per animation frame.
 *
 * Nothing is queued: a listener gets the newest of each symbol, however many changes came between.
 * A hidden page has no frames, so nothing is delivered there until it is seen again.
 *
 * @typedef {import("./book.js").Quote} Quote
 * @typedef {import("./book.js").BarChange} BarChange
 * @typedef {(quotes: Quote[]) => void} QuoteListener
 * @typedef {(bars: import("./protocol.js").Bar[], change: BarChange) => void} BarListener
 */

export class Delivery {
  #book;
  #onPainted;
  #frame = 0;
  /** @type {Set<{symbols: Set<string>, listener: QuoteListener, pending: Set<string>}>} */
  #quoteListeners = new Set();
  /** @type {Set<{symbol: string, interval: string, listener: BarListener, pending: BarChange | null}>} */
  #barListeners = new Set();

  /**
   * @param {import("./book.js").Book} book
   * @param {() => void} onPainted called when a frame's changes are on the screen
   */
  constructor(book, onPainted) {
    this.#book = book;
    this.#onPainted = onPainted;
  }

  /** @returns {() => void} ends it */
  addQuotes(symbols, listener) {
    const entry = {symbols: new Set(symbols), listener, pending: new Set(symbols)};
    this.#quoteListeners.add(entry);
    this.#schedule();
    return () => this.#quoteListeners.delete(entry);
  }

  /** @returns {() => void} ends it */
  addBars(symbol, interval, listener) {
    const entry = {symbol, interval, listener, pending: {reset: true, since_ms: 0}};
    this.#barListeners.add(entry);
    this.#schedule();
    return () => this.#barListeners.delete(entry);
  }

  quotesChanged(symbols) {
    for (const {symbols: wanted, pending} of this.#quoteListeners) {
      for (const symbol of symbols) if (wanted.has(symbol)) pending.add(symbol);
    }
    this.#schedule();
  }

  /** @param {BarChange} change */
  barsChanged(symbol, interval, change) {
    for (const entry of this.#barListeners) {
      if (entry.symbol !== symbol || entry.interval !== interval) continue;
      const reset = change.reset || (entry.pending?.reset ?? false);
      const since_ms = Math.min(change.since_ms, entry.pending?.since_ms ?? Infinity);
      entry.pending = {reset, since_ms};
    }
    this.#schedule();
  }

  stop() {
    cancelAnimationFrame(this.#frame);
    this.#quoteListeners.clear();
    this.#barListeners.clear();
  }

  #schedule() {
    if (!this.#frame) this.#frame = requestAnimationFrame(() => this.#deliver());
  }

  #deliver() {
    this.#frame = 0;
    for (const entry of this.#quoteListeners) this.#deliverQuotes(entry);
    for (const entry of this.#barListeners) this.#deliverBars(entry);
    // A task queued in a frame runs after that frame was painted.
    setTimeout(this.#onPainted, 0);
  }

  #deliverQuotes({listener, pending}) {
    const quotes = [...pending].map((symbol) => this.#book.quote(symbol)).filter(Boolean);
    pending.clear();
    if (quotes.length) guarded(() => listener(quotes));
  }

  /** Bars wait for their history, so that a chart is drawn once and never from a single bar. */
  #deliverBars(entry) {
    const {symbol, interval, listener, pending} = entry;
    if (!pending || !this.#book.isLoaded(symbol, interval)) return;
    entry.pending = null;
    guarded(() => listener(this.#book.bars(symbol, interval), pending));
  }
}

/** One listener's fault must not keep the data from the others. */
function guarded(call) {
  try {
    call();
  } catch (error) {
    reportError(error);
  }
}
