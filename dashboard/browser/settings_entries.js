/**
 * Settings as they are kept: each with when it was chosen, so that of two browsers, two tabs, or a
 * browser and the feed the newest choice counts. Pure.
 *
 * @typedef {import("./settings_schema.js").Values} Values
 * @typedef {keyof Values} Name
 * @typedef {{value: unknown, at_ms: number}} Entry `value` null: as is usual; `at_ms`: when that was
 *   chosen, UTC epoch milliseconds
 * @typedef {{[name in Name]?: Entry}} Entries
 */

import {usable} from "quotewire/settings_check.js";
import {SCHEMA} from "quotewire/settings_schema.js";

export const NAMES = /** @type {Name[]} */ (Object.keys(SCHEMA));
/** No clock is that far ahead. */
const LATEST_MS = 253_402_300_799_999;

/** What is usual. */
export const USUAL = /** @type {Values} */ (Object.fromEntries(
  NAMES.map((name) => [name, SCHEMA[name].default])));

/**
 * What can be used of entries that come from outside; each by itself.
 *
 * @param {unknown} told by name; what is no setting of this page is left out without a word
 * @returns {{entries: Entries, refused: Name[]}} `refused`: those that cannot be used, or not whole
 */
export function readEntries(told) {
  /** @type {Entries} */
  const entries = {};
  /** @type {Name[]} */
  const refused = [];
  if (!isRecord(told)) return {entries, refused: [...NAMES]};
  for (const name of NAMES.filter((one) => Object.hasOwn(told, one))) {
    const {entry, isWhole} = readEntry(name, told[name]);
    if (entry) entries[name] = entry;
    if (!isWhole) refused.push(name);
  }
  return {entries, refused};
}

/**
 * @param {Name} name
 * @param {unknown} told
 * @returns {{entry: Entry | null, isWhole: boolean}}
 */
function readEntry(name, told) {
  const {value, at_ms} = isRecord(told) ? told : {value: undefined, at_ms: undefined};
  if (!isTime(at_ms)) return {entry: null, isWhole: false};
  if (value === null) return {entry: {value, at_ms}, isWhole: true};
  const use = usable(SCHEMA[name], value);
  return {entry: use && {value: use.value, at_ms}, isWhole: use?.isWhole ?? false};
}

/** Those chosen at some time; what may not be is left out. @param {object} values @param {number} at_ms */
export function chosenAt(values, at_ms) {
  const stamped = Object.entries(values).map(([name, value]) => [name, {value, at_ms}]);
  return readEntries(Object.fromEntries(stamped));
}

/** The newest of each; of two as new the first one's. @param {Entries} one @param {Entries} other @returns {Entries} */
export function merge(one, other) {
  const merged = {...one};
  for (const [name, entry] of entriesOf(other)) {
    if (entry.at_ms > (merged[name]?.at_ms ?? -1)) merged[name] = entry;
  }
  return merged;
}

/** Those that are newer than another has them. @param {Entries} ours @param {Entries} theirs @returns {Entries} */
export function newerThan(ours, theirs) {
  const newer = entriesOf(ours).filter(([name, {at_ms}]) => at_ms > (theirs[name]?.at_ms ?? -1));
  return Object.fromEntries(newer);
}

/**
 * What was sent and is kept so, but as chosen earlier: whose clock is ahead is told.
 *
 * @param {Entries} ours @param {Entries} sent @param {Entries} told
 */
export function heldBack(ours, sent, told) {
  return Object.fromEntries(entriesOf(told).filter(([name, {value, at_ms}]) =>
    at_ms < (sent[name]?.at_ms ?? -1) && ours[name]?.at_ms === sent[name]?.at_ms
    && isSame(value, ours[name]?.value)));
}

/** What was chosen, and not taken back since. @param {Entries} entries @returns {Partial<Values>} */
export function chosenOf(entries) {
  const chosen = entriesOf(entries).filter(([, {value}]) => value !== null);
  return Object.fromEntries(chosen.map(([name, {value}]) => [name, value]));
}

/** @param {Entries} entries */
export function entriesOf(entries) {
  return /** @type {[Name, Entry][]} */ (Object.entries(entries));
}

/** @param {unknown} a @param {unknown} b */
export function isSame(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
export function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param {unknown} value @returns {value is number} */
function isTime(value) {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= LATEST_MS;
}
