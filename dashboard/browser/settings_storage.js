/** Where this browser keeps the settings; its tabs hear of one another's changes. */

import {isRecord} from "quotewire/settings_entries.js";

const KEY = "quotewire.settings";
/** How data comes was kept here alone once, without its time. */
const KEY_BEFORE = "quotewire.transport";

/** @typedef {import("./settings_entries.js").Entries} Entries */

export const browserStorage = {
  /** @returns {unknown} as `Entries`, if nobody has changed it */
  load() {
    try {
      const kept = localStorage.getItem(KEY);
      return kept === null ? before() : parsed(kept);
    } catch {
      return {}; // storage may be forbidden, and then nothing is kept
    }
  },

  /** @param {Entries} entries @returns {boolean} whether they are kept */
  keep(entries) {
    try {
      localStorage.setItem(KEY, JSON.stringify(entries));
      localStorage.removeItem(KEY_BEFORE);
      return true;
    } catch {
      return false;
    }
  },

  /** @param {() => void} listener hears when another tab has changed them */
  onElsewhere(listener) {
    window.addEventListener("storage", ({key, storageArea}) => {
      if (storageArea === localStorage && (key === KEY || key === null)) listener();
    });
  },
};

function before() {
  const kept = parsed(localStorage.getItem(KEY_BEFORE) ?? "{}");
  if (!isRecord(kept)) return kept;
  return Object.fromEntries(Object.entries(kept).map(([name, value]) => [name, {value, at_ms: 0}]));
}

/** @param {string} text @returns {unknown} null where it is no JSON */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
