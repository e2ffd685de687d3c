/**
 * Trades of one symbol as a client has them: where it stands, and what a message changed. Pure.
 * Twin of `dashboard/client/core/trades.py`.
 *
 * @typedef {object} Trade
 * @property {string} symbol
 * @property {number} time_ms event time
 * @property {number} price
 * @property {number} size 0 where the source knows none
 * @property {number} offset its number within the symbol's epoch
 * @property {number | null} received_ms when the feed received it; null in history
 *
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

/** One symbol's trades of one epoch. */
export class Run {
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

/**
 * What has changed of a symbol; what is not said has not.
 *
 * @param {string} symbol
 * @param {Partial<TradesChange>} parts
 * @returns {TradesChange}
 */
export function change(symbol, parts) {
  return {symbol, trades: [], reset: false, needs_history: false, lost: null, ...parts};
}

/** Tell what goes on where the client stands, where it is anything.
 * @param {string} symbol @param {Run} run @param {Trade[]} trades */
export function tell(symbol, run, trades) {
  run.keep(trades);
  return trades.length ? change(symbol, {trades}) : null;
}

/** Say once more that a gap is open, where one is.
 * @param {string} symbol @param {Run | undefined} run */
export function wanting(symbol, run) {
  return run && run.gap_from !== null ? change(symbol, {needs_history: true}) : null;
}

/** What a series has, in order. @param {TradeSeries} series @returns {Trade[]} */
export function tradesOf({symbol, time_ms, price, size, offsets}) {
  return time_ms.map((time, at) => ({
    symbol,
    time_ms: time,
    price: price[at],
    size: size[at],
    offset: offsets[at],
    received_ms: null,
  }));
}
