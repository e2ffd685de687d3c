/**
 * Where a bar belongs in a series, and which of two accounts of one bar is newer. Pure.
 *
 * @typedef {import("./protocol.js").Bar} Bar
 */

/**
 * @param {Bar[]} bars in order of their start
 * @param {number} start_ms
 * @returns {{index: number, found: boolean}} where the bar is, or where it would go
 */
export function place(bars, start_ms) {
  let low = 0;
  let high = bars.length;
  // Live bars are at the end: look there before halving.
  if (high && bars[high - 1].start_ms < start_ms) low = high;
  else if (high && bars[high - 1].start_ms === start_ms) low = high -= 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bars[middle].start_ms < start_ms) low = middle + 1;
    else high = middle;
  }
  return {index: low, found: low < bars.length && bars[low].start_ms === start_ms};
}

/**
 * Above 0 where `next` is newer than `held`, 0 where it says the same, below 0 where it is older.
 *
 * A final bar never changes. Others, which form or still take late trades, go by event time, at
 * equal times by volume, which only grows; where that is equal too, the latest account counts.
 *
 * @param {Bar} held
 * @param {Bar} next
 */
export function compareBars(held, next) {
  if (held.final) return next.final ? 0 : -1;
  if (next.final) return 1;
  // History tells the time of the last bar only; several can still change.
  const timed = held.time_ms !== null && next.time_ms !== null;
  const order = (timed && next.time_ms - held.time_ms) || next.volume - held.volume;
  if (order !== 0) return order;
  return ["open", "high", "low", "close"].every((name) => held[name] === next[name]) ? 0 : 1;
}
