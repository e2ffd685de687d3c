/** What is said of prices that are out of date, and of where prices come from. Pure. */

import {formatAge, formatCount} from "quotewire/format.js";

/** @param {number} old how many prices @param {number} all */
export function oldWords(old, all) {
  if (!old) return "";
  return old === all ? "All are old" : `${formatCount(old)} old`;
}

/** @param {string} title @param {number | null} age_ms of a price that may be out of date */
export function ageTitle(title, age_ms) {
  return age_ms === null ? title : `${title} · ${formatAge(age_ms)} old`;
}

/** What is to be known of the prices, each once: as REPLAY. @param {readonly {label: string}[]} infos */
export function labelOf(infos) {
  return [...new Set(infos.map(({label}) => label))].filter(Boolean).join(" · ");
}
