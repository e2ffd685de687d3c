/** Settings as a file: to be kept, or taken to another browser. */

import {saveFile} from "quotewire/exports/hand_over.js";
import {chosenAt, chosenOf, isRecord} from "quotewire/settings_entries.js";

const MOST_BYTES = 1_000_000;
const KIND = "quotewire settings";

/**
 * @typedef {import("../settings.js").Values} Values
 * @typedef {import("../settings.js").Name} Name
 */

/** @param {Values} values @returns {string} JSON */
export function exported(values) {
  return `${JSON.stringify({kind: KIND, values}, null, 2)}\n`;
}

/**
 * @param {string} text
 * @returns {{values: Partial<Values>, refused: Name[]} | null} null where it is no export of settings
 */
export function imported(text) {
  try {
    const told = JSON.parse(text);
    if (!isRecord(told) || told.kind !== KIND || !isRecord(told.values)) return null;
    const {entries, refused} = chosenAt(told.values, 0);
    return {values: chosenOf(entries), refused};
  } catch {
    return null;
  }
}

/** Let the browser save it. @param {string} text JSON @param {string} name */
export function save(text, name) {
  saveFile(new Blob([text], {type: "application/json"}), name);
}

/** @param {File} file @returns {Promise<string>} empty where it is too long to be one of ours */
export async function textOf(file) {
  return file.size > MOST_BYTES ? "" : file.text();
}
