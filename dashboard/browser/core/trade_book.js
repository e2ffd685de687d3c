/**
 * Trades as a client gets them: every one, in order, once, or a gap is told. Pure.
 *
 * That a trade is missing is told by `recovered: false` alone, for offsets do not rise by one. While
 * a gap is open, what is pushed of the symbol is held back, until `applySeries` mends it or `giveUp`
 * ends it. Who subscribes to a symbol that is held must say `since`. Twin of
 * `dashboard/client/core/trade_book.py`.
 *
 * @typedef {object} Trade
 * @property {string} symbol
 * @property {number} time_ms event time
 * @property {number} price
 * @property {number} size 0 where the source knows none
 * @property {number} offset its number within the symbol's epoch
 * @property {number | null} received_ms when the feed received it; null in history
 *
 * @typedef {import("./quote_book.js").Position} Position
 * @typedef {object} TradesMessage as on the wire
 * @property {number} event_ms
 * @property {number} received_ms
 * @property {[string, number, number, number, number, number][]} rows symbol, price, size, event and
 *   receive time less the message's, offset
 * @property {Record<string, Position>} [positions]
 * @property {Record<string, boolean>} [recovered]
 * @typedef {{symbol: string, epoch: string, offset: number, time_ms: number[], price: number[],
 *   size: number[], offsets: number[]}} TradeSeries body of `/api/trades`
 *
 * @typedef {"gap" | "epoch"} Lost why data is missing for good: history does not reach back, or the
 *   feed began anew
 * @typedef {object} TradesChange what came of one symbol
 * @property {string} symbol
 * @property {Trade[]} trades new ones in order; each once
 * @property {boolean} reset whether what `tail` has of before has changed, too
 * @property {boolean} needs_history whether there is a gap that history has to mend: load
 *   `/api/trades` and `applySeries` it, or `giveUp`
 * @property {Lost | null} lost some trades before these, or between them, are missing for good
 */

import {Counts} from "quotewire/core/latency.js";
import {Epochs} from "quotewire/core/ordering.js";

/** Trades of a symbol that are kept to be shown. */
const TAIL = 500;
/** Trades of a symbol that wait for a gap to be mended, at most; with more it is given up. */
const WITHHELD = 10_000;

/** One symbol's trades of one epoch. */
class Run {
  /** @type {Trade[]} the last trades that were told */
  tail = [];
  /** Whether a link tells every trade. */
  live = false;
  /** @type {number | null} where an open gap begins; null where none is open */
  gap_from = null;
  /** Where it ends: history has to reach it. */
  gap_end = 0;
  /** Whether it was told already that trades are lost where it begins. */
  is_lost = false;
  /** @type {Trade[]} what came after the gap */
  withheld = [];
  #most;

  /**
   * @param {string} epoch
   * @param {number} offset where the client stands in it
   * @param {number} most trades in the tail
   */
  constructor(epoch, offset, most) {
    this.epoch = epoch;
    /** The epoch that pushes without a position are of. */
    this.pushed = epoch;
    this.offset = offset;
    this.#most = most;
  }

  /** @param {Trade[]} trades */
  keep(trades) {
    this.tail = [...this.tail, ...trades].slice(-this.#most);
  }

  /**
   * Keep what history has from before the tail, as much as there is room for.
   *
   * @param {Trade[]} told
   * @returns {boolean} whether there was any
   */
  keepOlder(told) {
    const room = this.#most - this.tail.length;
    const first = this.tail[0]?.offset ?? this.offset + 1;
    const older = room ? told.filter(({offset}) => offset < first).slice(-room) : [];
    this.tail = [...older, ...this.tail];
    return older.length > 0;
  }

  /** Whether no trade is missing between where the client stands and some of history.
   * @param {Trade[]} trades */
  joins(trades) {
    return trades.length > 0 && trades[0].offset <= (this.gap_from ?? this.offset) + 1;
  }
}

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
    if (run.gap_from === null) return told(symbol, run, newer);
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
    if (!before) return told(symbol, run, trades);
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

/**
 * @param {string} symbol
 * @param {Partial<TradesChange>} parts
 * @returns {TradesChange}
 */
function change(symbol, parts) {
  return {symbol, trades: [], reset: false, needs_history: false, lost: null, ...parts};
}

/** @param {string} symbol @param {Run} run @param {Trade[]} trades */
function told(symbol, run, trades) {
  run.keep(trades);
  return trades.length ? change(symbol, {trades}) : null;
}

/** Say once more that a gap is open, where one is.
 * @param {string} symbol @param {Run | undefined} run */
function wanting(symbol, run) {
  return run && run.gap_from !== null ? change(symbol, {needs_history: true}) : null;
}

/** @param {TradeSeries} series @returns {Trade[]} */
function tradesOf({symbol, time_ms, price, size, offsets}) {
  return time_ms.map((time, at) => ({
    symbol,
    time_ms: time,
    price: price[at],
    size: size[at],
    offset: offsets[at],
    received_ms: null,
  }));
}
