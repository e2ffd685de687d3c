/** Price lines that the user drew, by symbol: kept in this browser. */

const KEY = "quotewire.lines";
const MOST_LINES = 20;
const MOST_SYMBOLS = 200;

/** @typedef {Record<string, number[]>} Kept */

/** @param {string} symbol @returns {number[]} */
export function linesOf(symbol) {
  return Object.hasOwn(load(), symbol) ? load()[symbol] : [];
}

/**
 * Of more lines than are kept the oldest go, and of more symbols those whose lines are the oldest.
 *
 * @param {string} symbol
 * @param {number[]} prices
 */
export function keepLines(symbol, prices) {
  const {[symbol]: _, ...others} = load();
  const entries = Object.entries(others);
  if (prices.length) entries.push([symbol, prices.slice(-MOST_LINES)]);
  try {
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(entries.slice(-MOST_SYMBOLS))));
  } catch {
    // storage may be forbidden or full, and then they last as long as the page
  }
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
