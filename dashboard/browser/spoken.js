/** What the document's title says, and a screen reader now and then. Pure. */

import {changeOf, directionOf, formatAge, formatPercent, formatPrice} from "quotewire/format.js";

/**
 * @typedef {object} Facts
 * @property {import("./address.js").PageName | null} page
 * @property {{symbol: string, last: number, prev_close: number | null} | null} quote
 * @property {number} decimals of the instrument
 * @property {number | null} age_ms of a price that may be out of date
 * @property {boolean} isPaused
 * @property {boolean} isSeen a page that is not seen has no new price
 */

const BRAND = "Quotewire";
/** @type {Record<string, string>} */
const PAGES = {market: "Live market", debug: "Debug"};
const DIRECTIONS = {up: "up ", down: "down ", flat: ""};
const MARKS = {up: "▲ ", down: "▼ ", flat: ""};

/** @param {Facts} facts */
export function titleOf({page, quote, decimals, age_ms, isPaused, isSeen}) {
  const name = PAGES[page ?? ""];
  if (name) return `${name} · ${BRAND}`;
  if (!quote) return BRAND;
  if (!isSeen) return `${quote.symbol} · ${BRAND}`;
  const {change, ratio} = changeOf(quote);
  const moved = ratio === null ? "" : ` ${MARKS[directionOf(change)]}${percent(ratio)}`;
  const doubt = isPaused ? "❚❚ " : age_ms === null ? "" : "(old) ";
  return `${doubt}${formatPrice(quote.last, decimals)}${moved} ${quote.symbol} · ${BRAND}`;
}

/** @param {Facts} facts @param {import("./health.js").Health} health */
export function spokenOf({quote, decimals, age_ms, isPaused}, health) {
  if (!quote) return `${health.word}.`;
  const {change, ratio} = changeOf(quote);
  const moved = ratio === null ? "" : `, ${DIRECTIONS[directionOf(change)]}${percent(ratio)}`;
  const doubt = isPaused ? ", paused" : age_ms === null ? "" : `, ${formatAge(age_ms)} old`;
  return `${quote.symbol} ${formatPrice(quote.last, decimals)}${moved}${doubt}. ${health.word}.`;
}

/** Without its sign. @param {number} ratio */
function percent(ratio) {
  return formatPercent(Math.abs(ratio)).replace("+", "");
}
