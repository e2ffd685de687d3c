/**
 * Bars: as they come, and which of two accounts of one is newer. Pure.
 *
 * Twin of `dashboard/client/core/bars.py`.
 *
 * @typedef {Record<string, (number | null)[]>} Values by indicator, as the feed names it, the values
 *   at a bar in the order of its outputs; null where it has none
 *
 * @typedef {object} Bar
 * @property {string} symbol
 * @property {string} interval
 * @property {number} start_ms
 * @property {number} open
 * @property {number} high
 * @property {number} low
 * @property {number} close
 * @property {number} volume
 * @property {number | null} time_ms event time of its last trade; null in history, but for the last
 * @property {boolean} final false while trades may change it
 * @property {Values} indicators
 *
 * @typedef {[string, string, number, number, number, number, number, number, number, boolean]} BarRow
 *   symbol, interval, start, open, high, low, close, volume, event time, final
 * @typedef {object} BarsMessage as on the wire
 * @property {string} interval
 * @property {BarRow[]} rows
 * @property {Record<string, string>} [epochs]
 * @property {Record<string, number>} [offsets]
 * @property {Record<string, boolean>} [recovered]
 * @property {Record<string, (number | null)[][]>} [indicators]
 *
 * @typedef {object} BarSeries body of `/api/bars`
 * @property {string} symbol
 * @property {string} interval
 * @property {string} epoch
 * @property {number} offset
 * @property {number | null} time_ms
 * @property {number[]} start_ms
 * @property {number[]} open
 * @property {number[]} high
 * @property {number[]} low
 * @property {number[]} close
 * @property {number[]} volume
 * @property {boolean[]} final
 * @property {boolean} [more]
 * @property {string | null} [note]
 * @property {Record<string, Record<string, (number | null)[]>>} [indicators]
 */

/** @type {readonly ["open", "high", "low", "close"]} */
const PRICES = ["open", "high", "low", "close"];

/**
 * Which of two accounts of one bar is newer.
 *
 * A final bar never changes. Others, which form or still take late trades, go by event time, at
 * equal times by volume, which only grows; where that is equal too, the latest account counts.
 *
 * @param {Bar} held
 * @param {Bar} next
 * @returns {number} above 0 where the new one is newer, 0 where it says the same, below 0 where it
 *   is older
 */
export function compareBars(held, next) {
  if (held.final) return next.final ? 0 : -1;
  if (next.final) return 1;
  const timed = held.time_ms !== null && next.time_ms !== null;
  const order = (timed && Number(next.time_ms) - Number(held.time_ms)) || next.volume - held.volume;
  if (order !== 0) return order;
  return PRICES.every((name) => held[name] === next[name]) ? 0 : 1;
}

/**
 * The indicators of a bar that was told twice.
 *
 * Of an open bar they change with the bars before it. Of a final one they do not, but they may have
 * been missing: while the feed loads what they are computed from, it tells none.
 *
 * @param {Bar} held
 * @param {Bar} next
 * @returns {Values | null} null where nothing changes
 */
export function mergedValues(held, next) {
  let values = null;
  for (const [name, told] of Object.entries(next.indicators)) {
    const before = held.indicators[name];
    if (isMissing(told) || (held.final && !isMissing(before))) continue;
    if (before && told.every((value, at) => value === before[at])) continue;
    values = {...(values ?? held.indicators), [name]: told};
  }
  return values;
}

/** @param {BarsMessage} message @returns {Bar[]} */
export function pushedBars({rows, indicators = {}}) {
  const columns = Object.entries(indicators);
  return rows.map(
    ([symbol, interval, start_ms, open, high, low, close, volume, time_ms, final], at) => ({
      symbol, interval, start_ms, open, high, low, close, volume, time_ms, final,
      indicators: Object.fromEntries(columns.map(([name, values]) => [name, values[at]])),
    }),
  );
}

/** @param {BarSeries} body @returns {Bar[]} */
export function loadedBars(body) {
  const {symbol, interval, indicators = {}} = body;
  const last = body.start_ms.length - 1;
  const columns = Object.entries(indicators).map(
    ([name, outputs]) => /** @type {const} */ ([name, Object.values(outputs)]),
  );
  return body.start_ms.map((start_ms, at) => ({
    symbol, interval, start_ms,
    open: body.open[at],
    high: body.high[at],
    low: body.low[at],
    close: body.close[at],
    volume: body.volume[at],
    time_ms: at === last ? body.time_ms : null,
    final: body.final[at],
    indicators: Object.fromEntries(
      columns.map(([name, outputs]) => [name, outputs.map((values) => values[at])]),
    ),
  }));
}

/** @param {(number | null)[] | undefined} values */
function isMissing(values) {
  return values === undefined || values.every((value) => value === null);
}
