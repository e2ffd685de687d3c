/** Another symbol's bars beside those of the chart. Pure. */

/** @typedef {Pick<import("../core/bars.js").Bar, "start_ms" | "close">} Close */

/**
 * The close of the last bar that began no later: a symbol that did not trade has its last price still.
 *
 * @param {readonly Close[]} bars in order
 * @param {number} start_ms
 * @returns {number} NaN before its first
 */
export function closeAt(bars, start_ms) {
  let [low, high] = [0, bars.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (bars[middle].start_ms <= start_ms) low = middle + 1;
    else high = middle;
  }
  return low ? bars[low - 1].close : NaN;
}

/**
 * @param {readonly {start_ms: number}[]} main
 * @param {readonly Close[]} bars
 * @returns {number[]} for each bar of `main` the other's close by then
 */
export function aligned(main, bars) {
  let next = 0;
  return main.map(({start_ms}) => {
    while (next < bars.length && bars[next].start_ms <= start_ms) next += 1;
    return next ? bars[next - 1].close : NaN;
  });
}

/**
 * Where two symbols start together: the first bar in view at which both have a price.
 *
 * @param {readonly Close[]} main bars in view
 * @param {readonly number[]} closes the other's, at each of them
 * @returns {{main: number, other: number} | null} prices that are both 0 %
 */
export function bases(main, closes) {
  const at = closes.findIndex((close, i) => close > 0 && main[i]?.close > 0);
  return at < 0 ? null : {main: main[at].close, other: closes[at]};
}
