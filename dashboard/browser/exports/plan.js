/**
 * What is asked of the feed for a file, and the Python code for the same. Pure.
 *
 * @typedef {object} Export
 * @property {string} name
 * @property {string} label what a person calls it
 * @property {string} title in more words
 * @property {"bars" | "quotes"} path below `/api/`
 * @property {Record<string, string | number>[]} queries each of a part, the oldest or first one first
 * @property {number | null} rows that it is about to have, where that is known
 * @property {string} code
 *
 * @typedef {object} BarsShown
 * @property {string} feedUrl
 * @property {string} symbol
 * @property {string} label of its prices, as `REPLAY`
 * @property {string} interval
 * @property {readonly string[]} indicators as the feed names them
 * @property {readonly {start_ms: number}[]} bars in view
 * @property {boolean} isLive whether the newest bars are in view
 */

import {barCode, quoteCode} from "quotewire/exports/code.js";
import {formatCount} from "quotewire/format.js";
import {quoteQueries} from "quotewire/quote_queries.js";

/** As the feed's `MAX_BARS` and `MAX_VALUES`. */
const PART_ROWS = 10_000;
const PART_VALUES = 200_000;
/** No indicator has more. */
const OUTPUTS = 3;

/** @param {BarsShown} shown @returns {Export[]} what is in view, unless nothing is, and all there is */
export function barExports(shown) {
  const {symbol, interval, indicators, bars, isLive} = shown;
  const limit = partRows(indicators.length);
  const asked = {symbol, interval, ...(indicators.length ? {indicators: indicators.join(",")} : {}), limit};
  /** @type {Export} */
  const all = {
    name: "all", label: "All history", title: "As far back as the feed goes", path: "bars",
    queries: [asked], rows: null, code: barCode({...shown, limit, start_ms: null, end_ms: null, isLong: true}),
  };
  if (!bars.length) return [all];
  const start_ms = bars[0].start_ms;
  const end_ms = isLive ? null : bars[bars.length - 1].start_ms;
  const view = {...asked, start: start_ms, ...(end_ms === null ? {} : {end: end_ms})};
  return [{
    name: "view", label: `In view · ${formatCount(bars.length)}`, title: "The bars that the chart shows",
    path: "bars", queries: [view], rows: bars.length,
    code: barCode({...shown, limit, start_ms, end_ms, isLong: bars.length > limit}),
  }, all];
}

/**
 * @param {{feedUrl: string, symbols: readonly string[], isAll: boolean}} shown isAll: they are all that
 *   the feed has
 * @returns {Export[]} none where no symbol is shown
 */
export function quoteExports({feedUrl, symbols, isAll}) {
  if (!symbols.length) return [];
  const label = symbols.length === 1 ? "1 symbol" : `${formatCount(symbols.length)} symbols`;
  const code = quoteCode({feedUrl, symbols: isAll ? [] : symbols});
  return [{
    name: "quotes", label, title: "Their last values", path: "quotes", rows: symbols.length, code,
    queries: quoteQueries(symbols),
  }];
}

/** How many bars a part can have. @param {number} indicators */
export function partRows(indicators) {
  return indicators ? Math.min(PART_ROWS, Math.floor(PART_VALUES / (OUTPUTS * indicators))) : PART_ROWS;
}
