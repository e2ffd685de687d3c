/**
 * Quotes as a client keeps them: whole, in order, each once. Pure.
 *
 * Messages come as they are on the wire (`feed_server/protocol`), parsed. Twin of
 * `dashboard/client/core/quote_book.py`.
 *
 * @typedef {object} Quote
 * @property {string} symbol
 * @property {number} last price of the last trade
 * @property {number} size of the last trade
 * @property {number | null} bid
 * @property {number | null} ask
 * @property {number} volume of the session
 * @property {number} open
 * @property {number} high
 * @property {number} low
 * @property {number | null} prev_close
 * @property {string} session its date, YYYY-MM-DD
 * @property {number} time_ms event time, the market's clock
 * @property {number} received_ms when the feed received it
 * @property {number} count changes it stands for
 * @property {string} epoch
 * @property {number} offset its number within the epoch
 *
 * @typedef {[string, number, number, number | null, number | null, number, number, number, number,
 *   number]} QuoteRow symbol, last, size, bid, ask, volume, event and receive time less the
 *   message's, offset, count
 * @typedef {[number, number, number, number | null, string, string, (number | null)?]} QuoteDetails
 *   open, high, low, prev_close, session, epoch, decimals
 * @typedef {object} QuotesMessage
 * @property {number} event_ms
 * @property {number} received_ms
 * @property {QuoteRow[]} rows
 * @property {Record<string, QuoteDetails>} [details]
 * @property {boolean} [snapshot]
 *
 * @typedef {[epoch: string, offset: number]} Position
 *
 * @typedef {object} Held
 * @property {string} epoch
 * @property {Quote | null} quote
 * @property {QuoteDetails | null} details those of the quote
 * @property {QuoteDetails | null} pushed those that pushes without any go on from
 * @property {boolean} live whether a link tells of it
 */

import {Counts} from "quotewire/core/latency.js";
import {Epochs, compare} from "quotewire/core/ordering.js";

const EPOCH = 5;

/**
 * The newest quote of every symbol, whatever way it came. A poll's answer passes the same rule as
 * what is pushed (`compare`), so that it never takes the place of a newer push.
 */
export class QuoteBook {
  /** @type {Map<string, Held>} */
  #held = new Map();
  #epochs = new Epochs();

  /** @param {Counts} [counts] where rows are counted */
  constructor(counts = new Counts()) {
    this.counts = counts;
  }

  get size() {
    return this.#held.size;
  }

  /**
   * Take a message.
   *
   * @param {QuotesMessage} message
   * @param {object} [options]
   * @param {boolean} [options.polled] it is the answer to a poll. A push that has no details of a
   *   symbol goes on from the push before, not from a poll's answer.
   * @returns {Quote[]} those that changed, each symbol once
   */
  apply({event_ms, received_ms, rows, details = {}, snapshot = false}, {polled = false} = {}) {
    /** @type {Map<string, Quote>} */
    const changed = new Map();
    for (const row of rows) {
      const symbol = row[0];
      const told = details[symbol];
      const held = told ? this.#enter(symbol, told, polled) : this.#held.get(symbol);
      const known = told ?? held?.pushed;
      if (!held || !known || known[EPOCH] !== held.epoch) {
        this.counts.late += 1;
      } else if (this.#isNew(held, known, row, event_ms + row[6], snapshot)) {
        held.quote = whole(row, known, event_ms, received_ms);
        held.details = known;
        changed.set(symbol, held.quote);
      }
    }
    this.counts.received += rows.length;
    return [...changed.values()];
  }

  /** Take note that a link has ended: the next one goes on from what is held now. */
  unlinked() {
    for (const held of this.#held.values()) {
      held.pushed = held.details;
      held.live = false;
    }
  }

  /** @param {string} symbol @returns {Quote | null} the newest */
  quote(symbol) {
    return this.#held.get(symbol)?.quote ?? null;
  }

  /** @returns {Map<string, Quote>} the newest, by symbol */
  quotes() {
    const quotes = new Map();
    for (const [symbol, {quote}] of this.#held) if (quote) quotes.set(symbol, quote);
    return quotes;
  }

  /**
   * @param {Iterable<string>} symbols
   * @returns {Record<string, Position>} where each that is held stands: for `since`
   */
  positions(symbols) {
    /** @type {Record<string, Position>} */
    const positions = {};
    for (const symbol of symbols) {
      const quote = this.quote(symbol);
      if (quote) positions[symbol] = [quote.epoch, quote.offset];
    }
    return positions;
  }

  /** Know nothing of a symbol any more; what still arrives of it without details is late.
   * @param {string} symbol */
  forget(symbol) {
    this.#held.delete(symbol);
    this.#epochs.forget(symbol);
  }

  /**
   * @param {string} symbol
   * @param {QuoteDetails} details
   * @param {boolean} polled
   * @returns {Held} what a row with details belongs to, if their epoch is the same
   */
  #enter(symbol, details, polled) {
    let held = this.#held.get(symbol);
    if (polled && held?.live) return held;
    const epoch = details[EPOCH];
    const entered = this.#epochs.enter(symbol, epoch);
    if (!held || entered === "new") {
      held = {epoch, quote: null, details: null, pushed: null, live: false};
      this.#held.set(symbol, held);
    }
    held.pushed = details;
    held.live = !polled;
    return held;
  }

  /**
   * Whether a row changes what is held; what it is otherwise is counted. A snapshot repeats what is
   * held by its nature; only an update that does is counted.
   *
   * @param {Held} held
   * @param {QuoteDetails} details
   * @param {QuoteRow} row
   * @param {number} time_ms
   * @param {boolean} snapshot
   */
  #isNew({quote, details: before}, details, row, time_ms, snapshot) {
    const [, , , , , , , , offset, count] = row;
    if (!quote) {
      this.counts.conflated += Math.max(0, count - 1);
      return true;
    }
    const order = compare(quote.time_ms, quote.offset, time_ms, offset);
    if (order > 0) {
      // Offsets count every change, also those that a poll or a reconnect has skipped.
      this.counts.conflated += Math.max(0, offset - quote.offset - 1);
      return true;
    }
    if (order < 0) {
      this.counts.late += 1;
      return false;
    }
    if (!snapshot) this.counts.duplicates += 1;
    return details !== before && !isSame(details, before);
  }
}

/**
 * A bid or an ask: on the wire it is told as its distance from the last price.
 *
 * @param {number} last
 * @param {number | null} steps in units of 10 ** -decimals
 * @param {number | null} decimals null where the price itself was told
 * @returns {number | null} exactly the price that the feed has
 */
function priceAt(last, steps, decimals) {
  if (steps === null || decimals === null) return steps;
  const scale = 10 ** decimals;
  return (Math.round(last * scale) + steps) / scale;
}

/**
 * @param {QuoteRow} row
 * @param {QuoteDetails} details
 * @param {number} event_ms
 * @param {number} received_ms
 * @returns {Quote}
 */
function whole(row, details, event_ms, received_ms) {
  const [symbol, last, size, bid, ask, volume, event, received, offset, count] = row;
  const [open, high, low, prev_close, session, epoch, decimals = null] = details;
  return {
    symbol, last, size,
    bid: priceAt(last, bid, decimals),
    ask: priceAt(last, ask, decimals),
    volume, open, high, low, prev_close, session,
    time_ms: event_ms + event,
    received_ms: received_ms + received,
    count, epoch, offset,
  };
}

/** @param {QuoteDetails} details @param {QuoteDetails | null} others */
function isSame(details, others) {
  return others !== null && details.every((value, at) => value === others[at]);
}
