/** Who gains, who loses, what is traded most: pure. */

import {changeOf} from "quotewire/format.js";
import {turnoverOf} from "quotewire/market/columns.js";

/** @typedef {import("../core/quote_book.js").Quote} Quote */
/** @typedef {"gainers" | "losers" | "active"} Ranking */

/** @type {Record<Ranking, (quote: Quote) => number | null>} the largest first; null: not among them */
const RANKS = {
  gainers: (quote) => positive(changeOf(quote).ratio),
  losers: (quote) => positive(-(changeOf(quote).ratio ?? 0)),
  active: (quote) => positive(turnoverOf(quote)),
};

/** @param {number | null} value */
const positive = (value) => (value !== null && value > 0 ? value : null);

/**
 * @param {Iterable<Quote>} quotes
 * @param {Ranking} ranking
 * @param {number} most
 * @returns {string[]} symbols; equal ones by name, so that they keep their places
 */
export function movers(quotes, ranking, most) {
  const ranked = [...quotes].flatMap((quote) => {
    const rank = RANKS[ranking](quote);
    return rank === null ? [] : [{symbol: quote.symbol, rank}];
  });
  ranked.sort((a, b) => b.rank - a.rank || (a.symbol < b.symbol ? -1 : 1));
  return ranked.slice(0, most).map(({symbol}) => symbol);
}

/**
 * The one that the feed received last: what was live may be newer than what is polled, and older.
 *
 * @param {Quote | null | undefined} polled
 * @param {Quote | undefined} live told where they are equal
 */
export function newest(polled, live) {
  if (!polled || !live) return live ?? polled ?? null;
  return polled.received_ms > live.received_ms ? polled : live;
}
