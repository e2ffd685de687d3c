/** Ranges of time that a chart can show at once, and where each begins. Pure. */

const DAY_MS = 86_400_000;

/**
 * @typedef {object} Range
 * @property {string} name as in the address
 * @property {string} label
 * @property {string} title
 * @property {string[]} intervals of which it shows not too few bars, and not too many
 */

/** @type {Range[]} */
export const RANGES = [
  {name: "1h", label: "1h", title: "The last hour", intervals: ["1s", "5s", "1m"]},
  {name: "1d", label: "1D", title: "The last day", intervals: ["5s", "1m", "5m", "15m"]},
  {name: "5d", label: "5D", title: "The last five days", intervals: ["1m", "5m", "15m", "1h"]},
  {name: "1m", label: "1M", title: "The last month", intervals: ["5m", "15m", "1h", "1d"]},
  {name: "6m", label: "6M", title: "The last six months", intervals: ["1h", "1d"]},
  {name: "ytd", label: "YTD", title: "This year", intervals: ["1h", "1d"]},
  {name: "1y", label: "1Y", title: "The last year", intervals: ["1h", "1d"]},
  {name: "all", label: "All", title: "All the history there is", intervals: ["1h", "1d"]},
];

/** @param {string} interval @returns {Range[]} those that make sense of its bars */
export function rangesOf(interval) {
  return RANGES.filter(({intervals}) => intervals.includes(interval));
}

/**
 * Where a range begins in some bars.
 *
 * @param {string} name
 * @param {number[]} starts_ms of the bars, in order; not empty
 * @param {(time_ms: number) => number} offset how far the market's clocks are ahead of UTC
 * @returns {{index: number, whole: boolean}} of its first bar; whole: there are bars before it, too
 */
export function rangeStart(name, starts_ms, offset) {
  const last_ms = starts_ms[starts_ms.length - 1];
  if (name === "all") return {index: 0, whole: false};
  const days = /^(\d+)d$/.exec(name);
  const from_ms = days ? daysBack(Number(days[1]), starts_ms, offset) : fromOf(name, last_ms, offset);
  const index = starts_ms.findIndex((start_ms) => start_ms >= from_ms);
  return {index: Math.max(0, index), whole: starts_ms[0] < from_ms};
}

/**
 * Days that have bars count: a weekend is none.
 *
 * @param {number} count
 * @param {number[]} starts_ms
 * @param {(time_ms: number) => number} offset
 * @returns {number} where the first of them begins; −∞ where there are fewer
 */
function daysBack(count, starts_ms, offset) {
  const dayOf = (/** @type {number} */ ms) => Math.floor((ms + offset(ms)) / DAY_MS);
  let found = 0;
  let day = NaN;
  for (let i = starts_ms.length - 1; i >= 0; i -= 1) {
    const its = dayOf(starts_ms[i]);
    if (its === day) continue;
    if (found === count) return starts_ms[i + 1];
    day = its;
    found += 1;
  }
  return -Infinity;
}

/** @param {string} name @param {number} last_ms @param {(time_ms: number) => number} offset */
function fromOf(name, last_ms, offset) {
  const hours = /^(\d+)h$/.exec(name);
  if (hours) return last_ms - Number(hours[1]) * 3_600_000;
  const ahead = offset(last_ms);
  const last = new Date(last_ms + ahead);
  if (name === "ytd") return Date.UTC(last.getUTCFullYear(), 0, 1) - ahead;
  const [, count = "1", unit = "m"] = /^(\d+)([my])$/.exec(name) ?? [];
  const months = Number(count) * (unit === "y" ? 12 : 1);
  const month = last.getUTCMonth() - months;
  // The 31st of a month that has 30 days is its last.
  const room = new Date(Date.UTC(last.getUTCFullYear(), month + 1, 0)).getUTCDate();
  return Date.UTC(last.getUTCFullYear(), month, Math.min(last.getUTCDate(), room)) - ahead;
}
