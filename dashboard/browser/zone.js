/** Times of day in a market's zone, or the reader's. Pure, but for what the browser knows of zones. */

const QUARTER_MS = 15 * 60_000; // no zone changes its offset in between
const MOST = 20_000;

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();
/** @type {Map<string, number>} offsets by zone and quarter of an hour */
const offsets = new Map();

/**
 * Which zone times are told in.
 *
 * @param {unknown} setting `exchange`, `local`, `UTC` or an IANA name
 * @param {string | undefined} exchange the market's own
 * @returns {string} an IANA name that this browser knows
 */
export function zoneOf(setting, exchange) {
  const asked = setting === "local" ? Intl.DateTimeFormat().resolvedOptions().timeZone
    : typeof setting === "string" && setting !== "exchange" ? setting : exchange;
  return asked && isZone(asked) ? asked : "UTC";
}

/**
 * How far a zone's clocks are ahead of UTC then.
 *
 * @param {string} zone
 * @param {number} time_ms
 * @returns {number} milliseconds
 */
export function zoneOffset(zone, time_ms) {
  if (zone === "UTC") return 0;
  const quarter = Math.floor(time_ms / QUARTER_MS);
  const key = `${zone} ${quarter}`;
  let offset = offsets.get(key);
  if (offset === undefined) {
    offset = readOffset(zone, quarter * QUARTER_MS);
    if (offsets.size >= MOST) offsets.clear();
    offsets.set(key, offset);
  }
  return offset;
}

/**
 * A date and a time of day, as clocks there show them.
 *
 * @param {string} zone
 * @param {number} time_ms
 * @returns {{date: string, clock: string}} `YYYY-MM-DD` and `HH:MM:SS`
 */
export function wallClock(zone, time_ms) {
  const [date, clock] = new Date(time_ms + zoneOffset(zone, time_ms)).toISOString().split("T");
  return {date, clock: clock.slice(0, 8)};
}

/** Its short name then, as EDT. @param {string} zone @param {number} time_ms */
export function zoneName(zone, time_ms) {
  const parts = formatOf(zone, {timeZoneName: "short"}).formatToParts(time_ms);
  return parts.find(({type}) => type === "timeZoneName")?.value ?? zone;
}

/**
 * When a bar starts: the date of a daily one, with the time of day of another.
 *
 * @param {number} start_ms of a daily bar 00:00 UTC of its session's date
 * @param {string} interval
 * @param {string} zone
 */
export function barTime(start_ms, interval, zone) {
  if (interval === "1d") return wallClock("UTC", start_ms).date;
  const {date, clock} = wallClock(zone, start_ms);
  return `${date} ${interval.endsWith("s") ? clock : clock.slice(0, 5)} ${zoneName(zone, start_ms)}`;
}

/** Whether this browser knows it. @param {string} zone an IANA name, or anything */
export function isZone(zone) {
  try {
    formatOf(zone, {timeZoneName: "short"});
    return true;
  } catch {
    return false;
  }
}

/** @param {string} zone @param {number} time_ms in whole seconds */
function readOffset(zone, time_ms) {
  const parts = formatOf(zone, {
    hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric",
    minute: "numeric", second: "numeric",
  }).formatToParts(time_ms);
  const told = Object.fromEntries(parts.map(({type, value}) => [type, Number(value)]));
  const {year, month, day, hour, minute, second} = told;
  return Date.UTC(year, month - 1, day, hour, minute, second) - time_ms;
}

/** @param {string} zone @param {Intl.DateTimeFormatOptions} options each always the same: its name tells which */
function formatOf(zone, options) {
  const key = `${zone} ${Object.keys(options).join()}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", {...options, timeZone: zone});
    formats.set(key, format);
  }
  return format;
}
