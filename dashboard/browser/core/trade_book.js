/**
 * Trades as a client gets them: every one, in order, once, or a gap is told. Pure.
 *
 * That a trade is missing is told by `recovered: false` alone, for offsets do not rise by one. While
 * a gap is open, what is pushed of the symbol is held back, until `applySeries` mends it or `giveUp`
 * ends it. Who subscribes to a symbol that is held must say `since`. Twin of
 * `dashboard/client/core/trade_book.py`.
 *
 * @typedef {import("./quote_book.js").Position} Position
 * @typedef {import("./trades.js").Trade} Trade
 * @typedef {import("./trades.js").TradeSeries} TradeSeries
 * @typedef {import("./trades.js").TradesChange} TradesChange
 * @typedef {object} TradesMessage as on the wire
 * @property {number} event_ms
 * @property {number} received_ms
 * @property {[string, number, number, number, number, number][]} rows symbol, price, size, event and
 *   receive time less the message's, offset
 * @property {Record<string, Position>} [positions]
 * @property {Record<string, boolean>} [recovered]
 */

import {Counts} from "quotewire/core/latency.js";
import {Epochs} from "quotewire/core/ordering.js";
import {Run, change, tell, tradesOf, wanting} from "quotewire/core/trades.js";

/** Trades of a symbol that are kept to be shown. */
const TAIL = 500;
/** Trades of a symbol that wait for a gap to be mended, at most; with more it is given up. */
const WITHHELD = 10_000;

/** The trades of every symbol that is followed. */
export class TradeBook {
  /** @type {Map<string, Run>} */
  #runs = new Map();
  #epochs = new Epochs();
  #most;

  /**
   * @param {Counts} [counts] where rows and gaps are counted
   * @param {number} [tail] trades of a symbol that are kept to be shown
   */
  constructor(counts = new Counts(), tail = TAIL) {
    this.counts = counts;
    this.#most = tail;
  }

  get size() {
    return this.#runs.size;
  }

  /**
   * Take what was pushed.
   *
   * @param {TradesMessage} message
   * @returns {TradesChange[]} one for each symbol that changed
   */
  apply({event_ms, received_ms, rows, positions = {}, recovered = {}}) {
    /** @type {Map<string, Trade[]>} */
    const trades = new Map();
    for (const symbol of Object.keys(positions)) trades.set(symbol, []);
    for (const [symbol, price, size, event, received, offset] of rows) {
      const of_symbol = trades.get(symbol) ?? [];
      of_symbol.push({
        symbol, price, size, offset,
        time_ms: event_ms + event,
        received_ms: received_ms + received,
      });
      trades.set(symbol, of_symbol);
    }
    this.counts.received += rows.length;
    return [...trades].flatMap(
      ([symbol, list]) => this.#push(symbol, list, positions[symbol], recovered[symbol]) ?? [],
    );
  }

  /** Whether history goes back to where one stands, or has no need to. @param {TradeSeries} series */
  reaches(series) {
    const run = this.#runs.get(series.symbol);
    if (!run || run.live || run.epoch !== series.epoch) return true;
    return run.joins(tradesOf(series));
  }

  /**
   * Take history, or the answer to a poll.
   *
   * The first one of a symbol only says where it stands: its trades are in the tail, and none of
   * them is new. A later one tells those that are new, mends the gap if there is one, or says that
   * something is lost. Where it ends before the gap does, history is needed once more.
   *
   * @param {TradeSeries} series
   * @returns {TradesChange | null}
   */
  applySeries(series) {
    const {symbol, epoch, offset} = series;
    const told = tradesOf(series);
    const run = this.#runs.get(symbol);
    // While a link tells of it, the link alone says which epoch is in force.
    const asks = epoch && (!run?.live || run.epoch === epoch);
    const entered = asks ? this.#epochs.enter(symbol, epoch) : "left";
    if (entered === "left") {
      this.counts.late += told.length;
      return wanting(symbol, run);
    }
    if (!run || entered === "new") return this.#beginByHistory(series, told, run);
    if (run.gap_from === null) return this.#goOn(symbol, run, told, offset);
    if (offset < run.gap_end) return wanting(symbol, run);
    return this.#mend(symbol, run, told, offset);
  }

  /** End a gap that cannot be mended. @param {string} symbol @returns {TradesChange | null} */
  giveUp(symbol) {
    const run = this.#runs.get(symbol);
    return run && run.gap_from !== null ? this.#mend(symbol, run, [], 0) : null;
  }

  /** Whether a gap of the symbol is open. @param {string} symbol */
  needsHistory(symbol) {
    return (this.#runs.get(symbol)?.gap_from ?? null) !== null;
  }

  /** Take note that a link has ended: until the next, what is polled is all there is. */
  unlinked() {
    for (const run of this.#runs.values()) {
      run.pushed = run.epoch;
      run.live = false;
    }
  }

  /** @param {string} symbol @returns {readonly Trade[]} the last ones, oldest first */
  tail(symbol) {
    return this.#runs.get(symbol)?.tail ?? [];
  }

  /**
   * @param {Iterable<string>} symbols
   * @returns {Record<string, Position>} where each that is held stands: for `since`
   */
  positions(symbols) {
    /** @type {Record<string, Position>} */
    const positions = {};
    for (const symbol of symbols) {
      const run = this.#runs.get(symbol);
      if (run) positions[symbol] = [run.epoch, run.offset];
    }
    return positions;
  }

  /** Know nothing of a symbol any more. @param {string} symbol */
  forget(symbol) {
    this.#runs.delete(symbol);
    this.#epochs.forget(symbol);
  }

  /**
   * Take one symbol's part of a message.
   *
   * @param {string} symbol
   * @param {Trade[]} trades
   * @param {Position | undefined} at
   * @param {boolean | undefined} recovered
   * @returns {TradesChange | null}
   */
  #push(symbol, trades, at, recovered) {
    const run = this.#runs.get(symbol);
    if (at) {
      const entered = this.#epochs.enter(symbol, at[0]);
      if (!run || entered === "new") return this.#begin(symbol, trades, at, run);
      run.pushed = at[0];
    }
    if (!run || run.pushed !== run.epoch) {
      this.counts.late += trades.length;
      return null;
    }
    run.live = true;
    const end = Math.max(trades.at(-1)?.offset ?? 0, at?.[1] ?? 0);
    const opens = recovered === false && end > run.offset;
    if (opens) this.#open(run, run.offset, end);
    const newer = this.#newer(run, trades);
    run.offset = Math.max(run.offset, end);
    if (run.gap_from === null) return tell(symbol, run, newer);
    run.withheld.push(...newer);
    if (run.withheld.length > WITHHELD) return this.#mend(symbol, run, [], 0);
    return opens ? change(symbol, {needs_history: true}) : null;
  }

  /**
   * Begin to follow a symbol, or begin anew in another epoch.
   *
   * @param {string} symbol
   * @param {Trade[]} trades
   * @param {Position} at
   * @param {Run | undefined} before
   */
  #begin(symbol, trades, [epoch, offset], before) {
    const run = new Run(epoch, offset, this.#most);
    this.#runs.set(symbol, run);
    run.live = true;
    if (!before) return tell(symbol, run, trades);
    // How the epoch before ended cannot be known; how this one began perhaps can.
    this.#open(run, 0, offset);
    run.is_lost = true;
    run.withheld = trades;
    return change(symbol, {reset: true, needs_history: true, lost: "epoch"});
  }

  /** Open a gap; one that is open goes on to there.
   * @param {Run} run @param {number} start @param {number} end */
  #open(run, start, end) {
    this.counts.gaps += 1;
    run.gap_from ??= start;
    run.gap_end = end;
    run.is_lost = false;
  }

  /**
   * Those that come after where the client stands; the others are counted.
   *
   * @param {Run} run
   * @param {Trade[]} trades
   */
  #newer(run, trades) {
    if (!trades.length || trades[0].offset > run.offset) return trades;
    const known = new Set([...run.tail, ...run.withheld].map(({offset}) => offset));
    for (const {offset} of trades) {
      if (offset <= run.offset) this.counts[known.has(offset) ? "duplicates" : "late"] += 1;
    }
    return trades.filter(({offset}) => offset > run.offset);
  }

  /**
   * @param {TradeSeries} series
   * @param {Trade[]} trades
   * @param {Run | undefined} before
   */
  #beginByHistory({symbol, epoch, offset}, trades, before) {
    const run = new Run(epoch, offset, this.#most);
    this.#runs.set(symbol, run);
    run.keep(trades);
    if (!before) return change(symbol, {reset: true});
    this.counts.gaps += 1;
    return change(symbol, {trades, reset: true, lost: "epoch"});
  }

  /**
   * Take history where no gap is open: what is new in it, and what the tail lacks.
   *
   * @param {string} symbol
   * @param {Run} run
   * @param {Trade[]} trades
   * @param {number} end
   */
  #goOn(symbol, run, trades, end) {
    const joins = run.joins(trades);
    const reset = run.keepOlder(trades);
    // Where it does not join, what lies between comes by the link.
    const newer = joins || !run.live ? trades.filter(({offset}) => offset > run.offset) : [];
    const lost = newer.length && !joins ? "gap" : null;
    if (lost) this.counts.gaps += 1;
    if (newer.length || joins) run.offset = Math.max(run.offset, end);
    run.keep(newer);
    return newer.length || reset ? change(symbol, {trades: newer, reset, lost}) : null;
  }

  /**
   * Close a gap with what history has, and let go what came after it.
   *
   * @param {string} symbol
   * @param {Run} run
   * @param {Trade[]} trades
   * @param {number} end
   */
  #mend(symbol, run, trades, end) {
    const lost = run.is_lost || run.joins(trades) ? null : "gap";
    const start = run.gap_from ?? 0;
    const by_offset = new Map();
    for (const trade of [...trades.filter(({offset}) => offset > start), ...run.withheld]) {
      by_offset.set(trade.offset, trade);
    }
    const newer = [...by_offset.values()].sort((a, b) => a.offset - b.offset);
    run.gap_from = null;
    run.withheld = [];
    run.offset = Math.max(run.offset, end);
    run.keep(newer);
    return change(symbol, {trades: newer, lost});
  }
}
