/** Which rows of a long table are in the page, and which symbols are live: pure. */

/** Beyond each edge, so that a turn of the wheel shows no gap. */
const BEYOND = 6;

/**
 * @param {object} view in pixels
 * @param {number} view.top how far it is scrolled
 * @param {number} view.height
 * @param {number} row_px height of a row
 * @param {number} count of rows
 * @returns {{first: number, end: number}} `end`: after the last one
 */
export function rowsInView({top, height}, row_px, count) {
  const first = Math.max(0, Math.floor(top / row_px) - BEYOND);
  const end = Math.min(count, Math.ceil((top + height) / row_px) + BEYOND);
  return {first: Math.min(first, end), end};
}

/**
 * How far to scroll so that a row is seen whole; as it is where it is seen.
 *
 * @param {{top: number, height: number}} view in pixels
 * @param {number} row_px
 * @param {number} index of the row
 */
export function scrolledTo({top, height}, row_px, index) {
  const begin = index * row_px;
  if (begin < top) return begin;
  return Math.max(top, begin + row_px - height);
}

/** The row that a key leads to; null: the key is none of them. @param {string} key @param {number} at @param {number} count @param {number} page rows that are seen at once */
export function rowAt(key, at, count, page) {
  const to = {
    ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page,
    Home: 0, End: count - 1,
  }[key];
  return to === undefined ? null : Math.max(0, Math.min(count - 1, to));
}

/**
 * Which symbols to ask the feed for, where there may be more than it gives to one page: the first
 * ones, and beside them what is in view.
 *
 * @param {readonly string[]} symbols
 * @param {readonly string[]} inView
 * @param {number} most
 */
export function liveSymbols(symbols, inView, most) {
  const first = symbols.slice(0, most);
  const known = new Set(first);
  return {first, beside: inView.filter((symbol) => !known.has(symbol))};
}
