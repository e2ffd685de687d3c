/** Ticks of a price axis: linear, logarithmic, or in percent of a price. Pure. */

import {formatPrice} from "quotewire/format.js";

/** A longer label is written shorter, where that tells as much. */
const LONGEST = 12;
/** Below this ratio of the highest to the lowest, even steps serve a logarithmic axis, too. */
const LEAST_RATIO = 4;
/** Ticks of decades stand at uneven distances: so many times more are not too many. */
const CROWDED = 1.3;
/** @type {[number, string][]} */
const UNITS = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "K"]];

/**
 * @typedef {{at: number, label: string}} Tick
 *
 * @typedef {object} Axis
 * @property {number} low of the prices in view
 * @property {number} high
 * @property {number} most ticks
 * @property {number} decimals of the instrument: no finer than a price can be
 * @property {"linear" | "log" | "percent"} [scale]
 * @property {number} [base] the price that is 0 %
 */

/** @param {Axis} axis @returns {Tick[]} */
export function priceTicks({low, high, most, decimals, scale = "linear", base = 0}) {
  if (!(high > low)) return [];
  if (scale === "percent" && base > 0) return percentTicks(low, high, most, base);
  const finest = 10 ** -decimals;
  const places = scale === "log" && low > 0 && high / low >= LEAST_RATIO
    ? logPlaces(low, high, most) : linearPlaces(low, high, most, finest);
  const labels = labelsOf(places, decimals);
  return places.map((at, i) => ({at, label: labels[i]}));
}

/**
 * A price as the axis would tell it, of any price.
 *
 * @param {number} price
 * @param {Pick<Axis, "decimals" | "scale" | "base">} axis
 */
export function axisLabel(price, {decimals, scale = "linear", base = 0}) {
  if (scale === "percent" && base > 0) return percent((price / base - 1) * 100, 2);
  const full = formatPrice(price, decimals);
  return full.length <= LONGEST + 4 ? full : compact(price, 6);
}

/** The step that leaves room: 1, 2 or 5 times a power of ten. @param {number} rough */
export function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  const found = [1, 2, 5, 10].find((times) => times * power >= rough * (1 - 1e-9)) ?? 10;
  return found * power;
}

/** @param {number} low @param {number} high @param {number} most @param {number} finest */
function linearPlaces(low, high, most, finest) {
  const step = Math.max(finest, niceStep((high - low) / Math.max(1, most)));
  const places = [];
  const first = Math.ceil(low / step - 1e-9);
  for (let i = first; i * step <= high * (1 + 1e-12); i += 1) places.push(rounded(i * step, step));
  return places;
}

/** @param {number} low @param {number} high @param {number} most */
function logPlaces(low, high, most) {
  const decades = Math.log10(high / low);
  const times = [[1, 2, 5], [1, 3], [1]].find((some) => decades * some.length <= most * CROWDED) ?? [1];
  const every = Math.max(1, Math.ceil(decades / most));
  const places = [];
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power += 1) {
    if (power % every) continue;
    for (const one of times) {
      const place = rounded(one * 10 ** power, 10 ** power);
      if (place >= low && place <= high) places.push(place);
    }
  }
  return places;
}

/** @param {number} low @param {number} high @param {number} most @param {number} base @returns {Tick[]} */
function percentTicks(low, high, most, base) {
  const inPercent = (/** @type {number} */ price) => (price / base - 1) * 100;
  const places = linearPlaces(inPercent(low), inPercent(high), most, 1e-9);
  const digits = digitsOf(places);
  return places.map((place) => ({at: base * (1 + place / 100), label: percent(place, digits)}));
}

/** @param {number} value @param {number} digits */
function percent(value, digits) {
  const sign = value > 0 ? "+" : value < 0 ? "−" : "";
  const size = Math.abs(value);
  return `${sign}${size < 1e6 ? formatPrice(size, digits) : compact(size, 6)}%`;
}

/**
 * With the instrument's digits, where there is room; else with as many as tell the ticks apart.
 *
 * @param {number[]} places
 * @param {number} decimals
 */
function labelsOf(places, decimals) {
  const fits = (/** @type {string[]} */ labels) => labels.every(({length}) => length <= LONGEST);
  const full = places.map((at) => formatPrice(at, decimals));
  if (fits(full)) return full;
  const apart = places.map((at) => formatPrice(at, Math.min(decimals, digitsOf(places))));
  if (fits(apart)) return apart;
  const short = places.map((at) => compact(at, 6));
  return new Set(short).size === places.length ? short : apart;
}

/** @param {number} value @param {number} digits significant ones */
function compact(value, digits) {
  const [size, unit] = UNITS.find(([least]) => Math.abs(value) >= least) ?? [1, ""];
  return `${Number((value / size).toPrecision(digits))}${unit}`;
}

/** How many digits after the point tell the places apart. @param {number[]} places */
function digitsOf(places) {
  const step = Math.min(...places.slice(1).map((place, i) => place - places[i]));
  if (!Number.isFinite(step) || step <= 0) return 2;
  return Math.min(12, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)));
}

/** Without the dirt of binary fractions. @param {number} value @param {number} step */
function rounded(value, step) {
  const digits = Math.min(100, Math.max(0, Math.ceil(-Math.log10(step)) + 2));
  return Number(value.toFixed(digits));
}
