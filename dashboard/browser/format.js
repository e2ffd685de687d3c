/** Numbers, ages and times as the reader sees them: pure, but for how the user has set it. */

import {numberLocale, onWording, pageZone} from "quotewire/wording.js";
import {wallClock, zoneName} from "quotewire/zone.js";

export const NOTHING = "–";

/** @type {Map<number, Intl.NumberFormat>} */
const numbers = new Map();
onWording(() => numbers.clear());

/** @param {number} digits */
function fixed(digits) {
  let format = numbers.get(digits);
  if (!format) {
    format = new Intl.NumberFormat(numberLocale(), {
      minimumFractionDigits: digits, maximumFractionDigits: digits, numberingSystem: "latn",
    });
    numbers.set(digits, format);
  }
  return format;
}

/** @typedef {number | null | undefined} Maybe */

/** @param {Maybe} value @returns {value is number} */
const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/** @param {Maybe} value @param {number} decimals of the instrument */
export function formatPrice(value, decimals) {
  return isNumber(value) ? fixed(decimals).format(value).replace("-", "−") : NOTHING;
}

/** ▲ up, ▼ down; nothing where the price stands. @param {Maybe} change @param {number} decimals */
export function formatChange(change, decimals) {
  if (!isNumber(change)) return NOTHING;
  const mark = change > 0 ? "▲ " : change < 0 ? "▼ " : "";
  return mark + formatPrice(Math.abs(change), decimals);
}

/** @param {Maybe} ratio 0.01 is +1.00% */
export function formatPercent(ratio) {
  if (!isNumber(ratio)) return NOTHING;
  const sign = ratio > 0 ? "+" : ratio < 0 ? "−" : "";
  return `${sign}${fixed(2).format(Math.abs(ratio * 100))}%`;
}

/** @type {[number, string][]} */
const UNITS = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "K"]];

/** Three digits and a unit: 24.6M. @param {Maybe} value */
export function formatVolume(value) {
  if (!isNumber(value)) return NOTHING;
  const [size, unit] = UNITS.find(([least]) => value >= least) ?? [1, ""];
  const scaled = value / size;
  return fixed(scaled >= 100 || unit === "" ? 0 : 1).format(scaled) + unit;
}

/** @param {Maybe} value */
export function formatMs(value) {
  if (!isNumber(value)) return NOTHING;
  return value < 1000 ? `${Math.round(value)} ms` : `${fixed(1).format(value / 1000)} s`;
}

/** @param {Maybe} age_ms */
export function formatAge(age_ms) {
  if (!isNumber(age_ms)) return NOTHING;
  const seconds = Math.max(0, age_ms / 1000);
  if (seconds < 1) return "< 1 s";
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** @param {number} per_second */
export function formatRate(per_second) {
  return `${fixed(per_second < 10 ? 1 : 0).format(per_second)}/s`;
}

/** @param {number} value */
export function formatCount(value) {
  return fixed(0).format(value);
}

/** A time to the second, with its zone. @param {number} time_ms @param {string} zone */
export function formatTime(time_ms, zone) {
  const {date, clock} = wallClock(zone, time_ms);
  return `${date} ${clock} ${zoneName(zone, time_ms)}`;
}

/** The time of day of what happened to the page. @param {number} time_ms */
export function formatClock(time_ms) {
  return wallClock(pageZone(), time_ms).clock;
}

/** 1.4 MB. @param {number} bytes */
export function formatBytes(bytes) {
  return `${formatVolume(bytes).replace(/(\D?)$/, " $1B")}`;
}

/**
 * Whether a name tells no more than the symbol does: BTC/USD of BTC-USD.
 *
 * @param {string} name
 * @param {string} symbol
 */
export function isSymbol(name, symbol) {
  const bare = (/** @type {string} */ text) => text.replace(/[^a-z0-9]/gi, "").toUpperCase();
  return bare(name) === bare(symbol);
}

/**
 * Change against the session before, absolute and as a ratio.
 *
 * @param {{last: number, prev_close: number | null}} quote
 */
export function changeOf({last, prev_close}) {
  if (!isNumber(prev_close) || prev_close === 0) return {change: null, ratio: null};
  return {change: last - prev_close, ratio: (last - prev_close) / prev_close};
}

/** @param {number | null} change null where it is not known @returns {"up" | "down" | "flat"} */
export function directionOf(change) {
  return change === null || change === 0 ? "flat" : change > 0 ? "up" : "down";
}
