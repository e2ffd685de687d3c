/** Where this browser keeps the settings; its tabs hear of one another's changes. */

import {isRecord} from "quotewire/settings_entries.js";

const KEY = "quotewire.settings";
const USER = "quotewire.settings.user";
/** How data comes was kept here alone once, without its time. */
const KEY_BEFORE = "quotewire.transport";

/** @typedef {import("./settings_entries.js").Entries} Entries */

/** Several may use a browser, one after the other: each finds what they chose. */
class BrowserStorage {
  /** Until a page tells, it is the one who was there last. */
  #user = lastUser();

  /** @param {string} user whose they are from now on; empty: nobody has signed in @returns {boolean} whether that is another one */
  belongTo(user) {
    const isOther = user !== this.#user;
    this.#user = user;
    try {
      localStorage.setItem(USER, user);
      if (user) adopt(user);
    } catch {
      // as in `load`
    }
    return isOther;
  }

  /** @returns {unknown} as `Entries`, if nobody has changed it */
  load() {
    try {
      const kept = localStorage.getItem(keyOf(this.#user));
      return kept === null ? before() : parsed(kept);
    } catch {
      return {}; // storage may be forbidden, and then nothing is kept
    }
  }

  /** @param {Entries} entries @returns {boolean} whether they are kept */
  keep(entries) {
    try {
      localStorage.setItem(keyOf(this.#user), JSON.stringify(entries));
      localStorage.removeItem(KEY_BEFORE);
      return true;
    } catch {
      return false;
    }
  }

  /** @param {() => void} listener hears when another tab has changed them */
  onElsewhere(listener) {
    window.addEventListener("storage", ({key, storageArea}) => {
      if (storageArea === localStorage && (key === keyOf(this.#user) || key === null)) listener();
    });
  }
}

export const browserStorage = new BrowserStorage();

/** @param {string} user */
function keyOf(user) {
  return user ? `${KEY}.of.${user}` : KEY;
}

function lastUser() {
  try {
    return localStorage.getItem(USER) ?? "";
  } catch {
    return "";
  }
}

/** What was chosen before anybody signed in goes along with the first one who does. @param {string} user */
function adopt(user) {
  const nobodys = localStorage.getItem(KEY);
  if (nobodys === null || localStorage.getItem(keyOf(user)) !== null) return;
  localStorage.setItem(keyOf(user), nobodys);
  localStorage.removeItem(KEY);
}

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
