/**
 * What is known of the user's alerts: those that are set, and those that have fired. Pure.
 *
 * @typedef {"price_above" | "price_below" | "change_above" | "change_below"} Condition
 * @typedef {object} Alert as `feed_server/protocol/alerts.py` has it
 * @property {string} id
 * @property {string} symbol
 * @property {Condition} condition
 * @property {number} level
 * @property {boolean} repeat
 * @property {string} note
 * @property {number} created_ms
 * @property {boolean} armed
 *
 * @typedef {object} Fired
 * @property {string} id
 * @property {string} symbol
 * @property {Condition} condition
 * @property {number} level
 * @property {boolean} repeat
 * @property {string} note
 * @property {number} price
 * @property {number} value
 * @property {number} time_ms the market's clock
 * @property {number} fired_ms our clock
 * @property {string} cursor
 *
 * @typedef {{alerts: Alert[], fired: Fired[], cursor: string, max_alerts: number}} AlertList
 */

const START = "0-0";
const CURSOR = /^\d+-\d+$/;
const CONDITIONS = ["price_above", "price_below", "change_above", "change_below"];
/** As many as the feed keeps. */
const KEPT = 200;

export class AlertBook {
  /** @type {readonly Alert[]} oldest first */
  alerts = [];
  /** @type {readonly Fired[]} oldest first */
  fired = [];
  maxAlerts = Infinity;
  /** Whether the feed has told. */
  isKnown = false;
  cursor = START;

  /** @param {AlertList} list what has fired since `cursor`, and all that are set @returns {Fired[]} those not known before */
  take({alerts, fired, cursor, max_alerts}) {
    const fresh = fired.filter((one) => isLater(one.cursor, this.cursor));
    this.alerts = alerts;
    this.fired = [...this.fired, ...fresh].slice(-KEPT);
    this.maxAlerts = max_alerts;
    this.isKnown = true;
    if (isLater(cursor, this.cursor)) this.cursor = cursor;
    return fresh;
  }

  /** How many have fired since. @param {string} cursor */
  since(cursor) {
    return this.fired.filter((one) => isLater(one.cursor, cursor));
  }
}

/** @param {string} cursor milliseconds and a number within them @param {string} other */
export function isLater(cursor, other) {
  const [[ms, n], [otherMs, otherN]] = [cursor, other].map((text) => text.split("-").map(Number));
  return ms > otherMs || (ms === otherMs && n > otherN);
}

/** Whether a text is a place in a history. @param {unknown} text @returns {text is string} */
export function isCursor(text) {
  return typeof text === "string" && CURSOR.test(text);
}

/** Whether a feed answers so. @param {any} body parsed @returns {body is AlertList} */
export function isAlertList(body) {
  return Array.isArray(body?.alerts) && body.alerts.every(isRule)
    && Array.isArray(body.fired) && body.fired.every(isFired)
    && isCursor(body.cursor) && typeof body.max_alerts === "number";
}

/** @param {any} told */
function isRule(told) {
  return typeof told?.id === "string" && typeof told.symbol === "string"
    && CONDITIONS.includes(told.condition) && typeof told.level === "number"
    && typeof told.note === "string";
}

/** @param {any} told */
function isFired(told) {
  return isRule(told) && typeof told.price === "number" && typeof told.value === "number"
    && typeof told.fired_ms === "number" && isCursor(told.cursor);
}

/**
 * How long to wait before the feed is asked again, besides when it says that something has changed:
 * who polls hears of nothing, and what a connection says can be lost with it.
 *
 * @param {import("../core/session.js").StateChanged["state"]} state
 * @param {boolean} any whether alerts are set
 * @param {boolean} refused whether the feed has refused to tell
 */
export function beat_ms(state, any, refused) {
  if (refused || state === "live" || state === "stale") return 60_000;
  if (state === "polling") return any ? 1000 : 10_000;
  return any ? 5000 : 30_000;
}
