/** What a source tells of itself, in words. Pure. */

import {formatAge, formatCount} from "quotewire/format.js";

/** @typedef {import("../protocol.js").SourceStatus} SourceStatus */

/**
 * Whether its vendor is asked. After some failures in a row a source is given up, until a single try
 * succeeds: its circuit is open.
 *
 * @param {SourceStatus} source
 * @param {number} now_ms
 */
export function circuitWords({state, failures = 0, next_try_ms}, now_ms) {
  if (!failures) return "closed (works)";
  const tries = failures === 1 ? "1 failure" : `${formatCount(failures)} failures in a row`;
  if (state !== "down") return `closed, after ${tries}`;
  return `open, ${tries}; tries ${whenWords(next_try_ms, now_ms)}`;
}

/** @param {number | undefined} at_ms @param {number} now_ms */
export function whenWords(at_ms, now_ms) {
  if (!at_ms) return "–";
  return at_ms <= now_ms ? "now" : `in ${formatAge(at_ms - now_ms)}`;
}

/** @param {NonNullable<SourceStatus["budgets"]>[number]} budget */
export function budgetWords({limit, per_s, left}) {
  return `${formatCount(left)} left of ${formatCount(limit)} per ${spanWords(per_s)}`;
}

/** What it told that was not taken, the most frequent reason first. @param {Record<string, number>} [refused] */
export function refusedWords(refused = {}) {
  const told = Object.entries(refused).filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a);
  if (!told.length) return "none";
  return told.map(([reason, count]) => `${formatCount(count)} ${reason.replaceAll("_", " ")}`).join(", ");
}

/** @param {number} seconds */
function spanWords(seconds) {
  if (seconds === 86_400) return "day";
  if (seconds === 3600) return "hour";
  return seconds === 60 ? "minute" : `${formatCount(seconds)} s`;
}
