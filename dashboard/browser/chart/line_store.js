/** Price lines that the user drew, by symbol: kept in this browser, in step in all of its tabs. */

const KEY = "quotewire.lines";
export const MOST_LINES = 20;
const MOST_SYMBOLS = 200;

/** @typedef {Record<string, number[]>} Kept */

/** @param {string} symbol @returns {number[]} */
export function linesOf(symbol) {
  const kept = load();
  return Object.hasOwn(kept, symbol) ? kept[symbol] : [];
}

/**
 * Change what is kept now: another tab may just have changed it, too. Of more lines than are kept the
 * oldest go, and of more symbols those whose lines are the oldest.
 *
 * @param {string} symbol
 * @param {{add?: number[], remove?: number[]}} change
 */
export function changeLines(symbol, {add = [], remove = []}) {
  const prices = [...new Set([...linesOf(symbol).filter((price) => !remove.includes(price)), ...add])];
  const entries = Object.entries(load()).filter(([other]) => other !== symbol);
  if (prices.length) entries.push([symbol, prices.slice(-MOST_LINES)]);
  try {
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(entries.slice(-MOST_SYMBOLS))));
  } catch {
    // storage may be forbidden or full, and then they last as long as the page
  }
}

/**
 * Hear when another tab has changed them.
 *
 * @param {() => void} listener
 * @returns {() => void} ends it
 */
export function onLinesElsewhere(listener) {
  const hear = (/** @type {StorageEvent} */ {key}) => {
    if (key === KEY || key === null) listener();
  };
  window.addEventListener("storage", hear);
  return () => window.removeEventListener("storage", hear);
}

/** A price as the address tells it: 600.50 is 600.5. @param {number} price @param {number} decimals */
export function written(price, decimals) {
  const text = price.toFixed(Math.min(12, decimals));
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** What cannot be is left out. @returns {Kept} */
function load() {
  try {
    const told = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return Object.fromEntries(Object.entries(told).flatMap(([symbol, prices]) => {
      const valid = Array.isArray(prices) ? prices.filter((price) => Number.isFinite(price)) : [];
      return valid.length ? [[symbol, valid.slice(-MOST_LINES)]] : [];
    }));
  } catch {
    return {};
  }
}
