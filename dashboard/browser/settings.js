/**
 * How live data comes in: by which way, how often it is polled and how often it is drawn. It is this
 * browser's own affair and is kept in it; what a page was made with counts until then.
 *
 * @typedef {"auto" | "websocket" | "polling"} Mode
 * @typedef {object} Values
 * @property {Mode} mode
 * @property {number} poll_ms from one poll to the next
 * @property {number} max_hz updates a second at most; 0: as the feed likes
 */

import {Listeners} from "quotewire/listeners.js";

/** @type {unknown[]} */
const MODES = ["auto", "websocket", "polling"];
const POLL_MS = {least: 250, most: 60_000};
const MOST_HZ = 60;
const KEY = "quotewire.transport";
/** @type {Values} */
const DEFAULTS = {mode: "auto", poll_ms: 1000, max_hz: 0};
/** @type {Record<string, ((value: unknown) => boolean) | undefined>} */
const IS_VALID = {
  mode: (value) => MODES.includes(value),
  poll_ms: (value) => isWithin(value, POLL_MS.least, POLL_MS.most),
  max_hz: (value) => isWithin(value, 0, MOST_HZ),
};

class Settings {
  /** @type {Partial<Values>} */
  #suggested = {};
  #chosen = load();
  /** @type {Listeners<Values>} */
  #changed = new Listeners();

  /** @returns {Values} */
  get values() {
    return {...DEFAULTS, ...this.#suggested, ...this.#chosen};
  }

  /** What the page was made with; it is not kept. @param {Partial<Values>} values */
  suggest(values) {
    this.#set(() => Object.assign(this.#suggested, valid(values)));
  }

  /** What the user chose; what is so already is not kept as chosen. @param {Partial<Values>} values */
  choose(values) {
    /** @type {Record<string, unknown>} */
    const now = this.values;
    const other = Object.entries(valid(values)).filter(([name, value]) => value !== now[name]);
    this.#set(() => Object.assign(this.#chosen, Object.fromEntries(other)));
    if (other.length) keep(this.#chosen);
  }

  /** Calls the listener at once too, and returns what ends it. @param {(values: Values) => void} listener */
  onChange(listener) {
    return this.#changed.add(listener, this.values);
  }

  /** @param {() => void} change */
  #set(change) {
    const before = JSON.stringify(this.values);
    change();
    if (JSON.stringify(this.values) !== before) this.#changed.tell(this.values);
  }
}

/** @param {object} values @returns {Partial<Values>} those that may be */
function valid(values) {
  const may = Object.entries(values).filter(([name, value]) => IS_VALID[name]?.(value));
  return Object.fromEntries(may);
}

/** @param {unknown} value @param {number} least @param {number} most */
function isWithin(value, least, most) {
  return typeof value === "number" && value >= least && value <= most;
}

function load() {
  try {
    return valid(JSON.parse(localStorage.getItem(KEY) ?? "{}"));
  } catch {
    return {}; // storage may be forbidden, and then nothing is kept
  }
}

/** @param {Partial<Values>} chosen */
function keep(chosen) {
  try {
    localStorage.setItem(KEY, JSON.stringify(chosen));
  } catch {
    // as above
  }
}

export const settings = new Settings();
