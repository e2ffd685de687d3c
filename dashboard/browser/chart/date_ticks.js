/**
 * Dates and times along an axis of bar numbers. Pure.
 *
 * Bars stand side by side, so that nights and weekends leave no gap; a tick goes where a new year,
 * month, day, hour or minute begins, by the finest of them that leaves room for its labels.
 */

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** @typedef {(date: Date) => number} Stretch which one a date is in */

/** @type {Stretch} */
const year = (date) => date.getUTCFullYear();
/** @type {Stretch} */
const month = (date) => year(date) * 12 + date.getUTCMonth();
/** @type {Stretch} */
const day = (date) => Math.floor(date.getTime() / 86_400_000);

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const SHORT_MS = [
  SECOND_MS, 5 * SECOND_MS, 15 * SECOND_MS, 30 * SECOND_MS, MINUTE_MS, 5 * MINUTE_MS,
  15 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS, 3 * HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS,
];

/** @param {number} length_ms @returns {Stretch} */
const ofLength = (length_ms) => (date) => Math.floor(date.getTime() / length_ms);

/** From fine to coarse. @type {Stretch[]} */
const STRETCHES = [
  ...SHORT_MS.map(ofLength),
  day,
  (date) => Math.floor((day(date) + 3) / 7), // weeks from Monday on
  month,
  (date) => Math.floor(month(date) / 3),
  year,
  (date) => Math.floor(year(date) / 5),
  (date) => Math.floor(year(date) / 20),
];

/**
 * Ticks that have room: two may not come closer than `apart` bars.
 *
 * @param {number[]} starts_ms of the bars, in order
 * @param {number} apart bars
 * @param {object} [options]
 * @param {boolean} [options.daily] whether the bars are days: they have no time of day, nor a zone
 * @param {(time_ms: number) => number} [options.offset] how far the reader's clocks are ahead of UTC
 * @returns {{index: number, label: string, major: boolean}[]} index into `starts_ms`; major: a larger
 *   unit begins than at most of them
 */
export function dateTicks(starts_ms, apart, {daily = false, offset = () => 0} = {}) {
  const dates = starts_ms.map((start_ms) => new Date(daily ? start_ms : start_ms + offset(start_ms)));
  const most = Math.max(2, Math.floor(starts_ms.length / apart));
  /** @type {number[]} */
  let ticks = [];
  for (const stretch of daily ? STRETCHES.slice(SHORT_MS.length) : STRETCHES) {
    ticks = boundaries(dates, stretch);
    if (ticks.length <= most) break;
  }
  const labelled = ticks.map((index) => ({index, ...labelOf(dates[index - 1], dates[index])}));
  return thinned(labelled, apart);
}

/** @param {Date[]} dates @param {Stretch} stretch */
function boundaries(dates, stretch) {
  const found = [];
  for (let i = 1; i < dates.length; i += 1) {
    if (stretch(dates[i]) !== stretch(dates[i - 1])) found.push(i);
  }
  return found;
}

/**
 * Where two stand too close, as over a weekend, the one of the larger unit stays.
 *
 * @param {{index: number, label: string, rank: number}[]} ticks
 * @param {number} apart
 */
function thinned(ticks, apart) {
  /** @type {typeof ticks} */
  const kept = [];
  for (const tick of ticks) {
    const before = kept.at(-1);
    if (!before || tick.index - before.index >= apart) kept.push(tick);
    else if (tick.rank > before.rank) kept[kept.length - 1] = tick;
  }
  const usual = Math.min(...kept.map(({rank}) => rank));
  return kept.map(({index, label, rank}) => ({index, label, major: rank > usual}));
}

/**
 * The largest unit that changed since the bar before; a time of day by the clock.
 *
 * @param {Date} before
 * @param {Date} date
 * @returns {{label: string, rank: number}}
 */
function labelOf(before, date) {
  if (year(before) !== year(date)) return {label: String(year(date)), rank: 3};
  if (month(before) !== month(date)) return {label: MONTHS[date.getUTCMonth()], rank: 2};
  if (day(before) !== day(date)) return {label: dayLabel(date), rank: 1};
  const clock = date.toISOString().slice(11, 19);
  return {label: clock.endsWith(":00") ? clock.slice(0, 5) : clock, rank: 0};
}

/** With its month: the number alone reads like a price. @param {Date} date */
function dayLabel(date) {
  return `${MONTHS[date.getUTCMonth()]} ${date.getUTCDate()}`;
}
