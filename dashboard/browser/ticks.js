/**
 * Dates and times along an axis of bar numbers, in UTC. Pure.
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
  5 * SECOND_MS, 15 * SECOND_MS, 30 * SECOND_MS, MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS,
  30 * MINUTE_MS, HOUR_MS, 3 * HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS,
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
];

/**
 * @param {number[]} starts_ms of the bars, in order
 * @param {number} most ticks that have room
 * @returns {{index: number, label: string}[]} index into `starts_ms`
 */
export function dateTicks(starts_ms, most) {
  const dates = starts_ms.map((start_ms) => new Date(start_ms));
  const daily = starts_ms.length > 1 && starts_ms[1] - starts_ms[0] >= 24 * HOUR_MS;
  /** @type {number[]} */
  let ticks = [];
  for (const stretch of daily ? STRETCHES.slice(SHORT_MS.length) : STRETCHES) {
    ticks = boundaries(dates, stretch);
    if (ticks.length <= most) break;
  }
  return ticks.map((index) => ({index, label: labelOf(dates[index - 1], dates[index])}));
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
 * The largest unit that changed since the bar before; a time of day by the clock.
 *
 * @param {Date} before
 * @param {Date} date
 */
function labelOf(before, date) {
  if (year(before) !== year(date)) return String(year(date));
  if (month(before) !== month(date)) return MONTHS[date.getUTCMonth()];
  if (day(before) !== day(date)) return String(date.getUTCDate());
  const clock = date.toISOString().slice(11, 19);
  return clock.endsWith(":00") ? clock.slice(0, 5) : clock;
}
