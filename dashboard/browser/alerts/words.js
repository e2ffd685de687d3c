/** What is said of alerts. Pure. */

import {formatPercent, formatPrice} from "quotewire/format.js";

/**
 * @typedef {import("./book.js").Alert} Alert
 * @typedef {import("./book.js").Fired} Fired
 * @typedef {import("./book.js").Condition} Condition
 * @typedef {{condition: Condition, level: number}} Rule
 */

/** @type {Readonly<Record<Condition, {name: string, verb: string, sign: string}>>} */
export const CONDITIONS = Object.freeze({
  price_above: {name: "Price rises to", verb: "rose to", sign: "≥"},
  price_below: {name: "Price falls to", verb: "fell to", sign: "≤"},
  change_above: {name: "Day % rises to", verb: "rose to", sign: "≥"},
  change_below: {name: "Day % falls to", verb: "fell to", sign: "≤"},
});

const MOST_DIGITS = 12;

/** Whether it is about the change in percent. @param {Condition} condition */
export function isChange(condition) {
  return condition.startsWith("change");
}

/** A level as precise as it was given. @param {Rule} rule @param {number} decimals of the instrument */
export function levelWords({condition, level}, decimals) {
  if (isChange(condition)) return formatPercent(level / 100);
  return formatPrice(level, Math.max(decimals, digitsOf(level)));
}

/** What is waited for: “price ≥ 580.00”. @param {Rule} rule @param {number} decimals */
export function ruleWords(rule, decimals) {
  const what = isChange(rule.condition) ? "day change" : "price";
  return `${what} ${CONDITIONS[rule.condition].sign} ${levelWords(rule, decimals)}`;
}

/** What has happened: “AAPL rose to 580.04, your alert at 580.00”. @param {Fired} fired @param {number} decimals */
export function firedWords(fired, decimals) {
  const {symbol, condition, value, price, note} = fired;
  const change = isChange(condition);
  const reached = change
    ? `${formatPercent(value / 100)} on the day (${formatPrice(price, decimals)})`
    : formatPrice(price, decimals);
  const said = note ? ` – ${note}` : "";
  return `${symbol} ${CONDITIONS[condition].verb} ${reached}, your alert at ${levelWords(fired, decimals)}${said}`;
}

/**
 * How far it is from a price to the level, as a ratio of the price; of a change in percentage points.
 *
 * @param {Rule} rule
 * @param {{last: number, prev_close: number | null}} quote
 * @returns {number | null} null where it cannot be told
 */
export function distance({condition, level}, {last, prev_close}) {
  if (!isChange(condition)) return last > 0 ? (level - last) / last : null;
  if (prev_close === null || prev_close <= 0) return null;
  return level / 100 - (last - prev_close) / prev_close;
}

/** Whether a level is reached already: the alert waits for the way back then. @param {Condition} condition @param {number | null} away as `distance` tells */
export function isMet(condition, away) {
  if (away === null) return false;
  return condition.endsWith("above") ? away <= 0 : away >= 0;
}

/**
 * What one who sets an alert should know of it.
 *
 * @param {Rule & {symbol: string}} rule
 * @param {{last: number, prev_close: number | null} | null} quote
 * @param {number} decimals
 */
export function hintWords(rule, quote, decimals) {
  const {symbol, condition, level} = rule;
  if (!quote) return symbol ? `${symbol} has no price yet` : "";
  const away = Number.isFinite(level) ? distance(rule, quote) : null;
  const now = `Now ${formatPrice(quote.last, decimals)}`;
  if (away === null) return now;
  if (!isMet(condition, away)) return `${now}, ${formatPercent(Math.abs(away)).replace("+", "")} away`;
  const side = condition.endsWith("above") ? "above" : "below";
  return `${now}: ${side} already, so it waits for the next time`;
}

/** How many digits a number is written with after its point. @param {number} value */
function digitsOf(value) {
  const [mantissa, exponent = "0"] = String(value).split("e");
  const [, fraction = ""] = mantissa.split(".");
  return Math.min(MOST_DIGITS, Math.max(0, fraction.length - Number(exponent)));
}
