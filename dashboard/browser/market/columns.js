/**
 * The columns of the market table: what each sorts by and says. Pure, but for the number format that
 * the user has set.
 *
 * @typedef {import("../core/quote_book.js").Quote} Quote
 * @typedef {import("../protocol.js").SymbolInfo} SymbolInfo
 * @typedef {object} Row
 * @property {SymbolInfo} info
 * @property {Quote | null} quote null until one came
 * @property {number | null} age_ms since the feed received it
 * @property {boolean} isStale whether it may be out of date
 *
 * @typedef {object} Column
 * @property {string} name in the address
 * @property {string} title over it
 * @property {string} [hint] what it is, where that needs more words
 * @property {"symbol" | "number" | "price" | "change" | "range" | "trend" | "age"} kind
 * @property {number} least its width, in digits
 * @property {(row: Row) => number | string | null} value that it sorts by; null: at the end
 * @property {(row: Row) => string} text empty where it is drawn
 */

import {shareOf} from "quotewire/day_range.js";
import {
  changeOf, formatAge, formatChange, formatPercent, formatPrice, formatVolume, NOTHING,
} from "quotewire/format.js";
import {PATH_WORDS} from "quotewire/session_paths.js";

/** @param {string} name @param {string} title @param {(quote: Quote) => number | null} value @returns {Column} */
function price(name, title, value) {
  const of = (/** @type {Row} */ {quote}) => quote && value(quote);
  return {
    name, title, kind: "price", least: 8, value: of,
    text: (row) => formatPrice(of(row), row.info.decimals),
  };
}

/** @param {Row} row */
const ratioOf = ({quote}) => quote && changeOf(quote).ratio;
/** @param {Row} row */
const differenceOf = ({quote}) => quote && changeOf(quote).change;

/** What was paid for all that was traded in the session, roughly. @param {Quote} quote */
export const turnoverOf = ({last, volume}) => last * volume;

/** @type {readonly Column[]} */
export const COLUMNS = [
  {
    name: "symbol", title: "Symbol", kind: "symbol", least: 9,
    value: ({info}) => info.symbol, text: ({info}) => info.symbol,
  },
  price("last", "Last", ({last}) => last),
  {
    name: "change", title: "Change", kind: "change", least: 8, value: differenceOf,
    text: (row) => formatChange(differenceOf(row), row.info.decimals),
  },
  {
    name: "percent", title: "%", kind: "change", least: 7, value: ratioOf,
    text: (row) => formatPercent(ratioOf(row)),
  },
  price("bid", "Bid", ({bid}) => bid),
  price("ask", "Ask", ({ask}) => ask),
  {
    ...price("spread", "Spread", ({bid, ask}) => (bid === null || ask === null ? null : ask - bid)),
    least: 6,
  },
  {
    name: "volume", title: "Volume", kind: "number", least: 7,
    value: ({quote}) => quote && quote.volume, text: ({quote}) => formatVolume(quote?.volume),
  },
  {
    name: "range", title: "Day range", kind: "range", least: 12,
    value: ({quote}) => quote && shareOf(quote), text: () => "",
  },
  {name: "trend", ...PATH_WORDS, kind: "trend", least: 11, value: ratioOf, text: () => ""},
  {
    name: "age", title: "Age", kind: "age", least: 7, value: ({age_ms}) => age_ms,
    text: ({age_ms}) => (age_ms === null ? NOTHING : formatAge(age_ms)),
  },
];

const BY_NAME = new Map(COLUMNS.map((column) => [column.name, column]));

/** The chosen columns in their own order, the symbol always; none chosen: all. @param {readonly string[]} names */
export function chosenColumns(names) {
  const known = names.filter((name) => BY_NAME.has(name));
  return known.length ? COLUMNS.filter(({name}) => name === "symbol" || known.includes(name)) : [...COLUMNS];
}

/** With a column more or less: as the address tells it. @param {readonly string[]} names @param {string} name @param {boolean} isShown */
export function withColumn(names, name, isShown) {
  const before = new Set(chosenColumns(names).map((column) => column.name));
  if (isShown) before.add(name);
  else before.delete(name);
  const chosen = COLUMNS.filter((column) => before.has(column.name)).map((column) => column.name);
  return chosen.length === COLUMNS.length ? [] : chosen;
}

/** @param {string} name */
export function columnOf(name) {
  return BY_NAME.get(name) ?? null;
}
