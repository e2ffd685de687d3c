/**
 * What the page shows, as its address tells it: page, symbol, interval, indicators … A link shows a
 * colleague the same, and the browser's “Back” goes where one was. The address of a notebook is left
 * alone.
 *
 * @typedef {"dashboard" | "market" | "symbol" | "debug"} PageName
 * @typedef {object} Place
 * @property {PageName | null} page null: the one that the settings say
 * @property {string | null} symbol null until one is chosen
 * @property {string} interval of bars
 * @property {string} range of time in view; empty: as many bars as fit
 * @property {"candles" | "hollow" | "line" | "area"} kind of chart
 * @property {"linear" | "log" | "percent"} scale of prices
 * @property {string[]} indicators specifications, as `SMA(20)`
 * @property {string[]} compare symbols beside the one shown
 * @property {string} at the window of time in view, as `<from>-<to>` in ms of its first and last bar;
 *   empty: the newest bars, or a range of them
 * @property {string[]} lines prices that the user drew lines at
 * @property {string | null} watchlist by name; null: the one that was shown last
 * @property {string} view of the market page: `table` or `map`
 * @property {string} sort a column's name, with `-` before it for the largest first
 * @property {string} find a text that rows are filtered by
 * @property {string[]} columns of the market page's table; none: all
 * @property {"volume" | "equal"} size of the tiles on its map
 * @typedef {{[K in keyof Place]: Field<Place[K]>}} Fields
 */

import {Listeners} from "quotewire/listeners.js";
import {SYMBOL} from "quotewire/symbol_match.js";

/**
 * How a value stands in the address.
 *
 * @template T
 * @typedef {object} Field
 * @property {T} usual not told in the address
 * @property {(text: string) => T} read what cannot be read is as usual
 * @property {(value: T) => string} write
 */

const SPEC = /^[A-Z0-9_]{1,32}(\([\d.,\s-]{0,64}\))?$/;
const MOST = 20;
const BETWEEN = ";"; // commas are within specifications

export const PAGES = /** @type {const} */ (["dashboard", "market", "symbol", "debug"]);
export const INTERVALS = ["1s", "5s", "1m", "5m", "15m", "1h", "1d"];
export const KINDS = /** @type {const} */ (["candles", "hollow", "line", "area"]);
export const SCALES = /** @type {const} */ (["linear", "log", "percent"]);

/** @type {Fields} */
const FIELDS = {
  page: oneOf(/** @type {readonly (PageName | null)[]} */ (PAGES), null),
  symbol: matching(SYMBOL, /** @type {string | null} */ (null)),
  interval: oneOf(INTERVALS, "1d"),
  range: matching(/^[1-9]\d{0,3}[hdmy]$|^ytd$|^all$/, ""),
  kind: oneOf(KINDS, "hollow"),
  scale: oneOf(SCALES, "linear"),
  indicators: listOf(SPEC),
  compare: listOf(SYMBOL),
  at: matching(/^\d{1,14}-\d{1,14}$/, ""),
  lines: listOf(/^-?\d{1,15}(\.\d{1,12})?$/),
  watchlist: matching(/^.{1,40}$/, /** @type {string | null} */ (null)),
  view: oneOf(["table", "map"], "table"),
  sort: matching(/^-?\w{1,24}$/, ""),
  find: matching(/^.{1,64}$/, ""),
  columns: listOf(/^\w{1,24}$/),
  size: oneOf(/** @type {const} */ (["volume", "equal"]), "volume"),
};
const NAMES = /** @type {(keyof Place)[]} */ (Object.keys(FIELDS));
/** What is told of one chart alone, and what makes it another: it is not told of that. */
const BOUND = /** @type {const} */ ({at: ["page", "symbol", "interval", "range"], lines: ["symbol"]});

export class Address {
  /** Whether the address is ours to change. */
  ours = false;
  #window;
  #place;
  /** @type {Map<keyof Place, Listeners<any>>} */
  #changed = new Map(NAMES.map((name) => [name, new Listeners()]));

  /** @type {Listeners<void>} */
  #moved = new Listeners();

  /** @param {Window} [window] */
  constructor(window = globalThis.window) {
    this.#window = window;
    this.#place = readPlace(window.location.search);
    window.addEventListener("popstate", () => this.#take(readPlace(window.location.search)));
  }

  /** @template {keyof Place} K @param {K} name @returns {Place[K]} */
  get(name) {
    return this.#place[name];
  }

  /**
   * @param {Partial<Place>} values what cannot be is left out
   * @param {{push?: boolean}} [options] `push`: “Back” comes back to what was before
   */
  set(values, {push = false} = {}) {
    const place = changed(this.#place, values);
    const address = addressOf(place, this.#window.location.href);
    const moves = this.ours && address !== this.#window.location.href;
    if (moves && push) this.#window.history.pushState(null, "", address);
    else if (moves) this.#window.history.replaceState(this.#window.history.state, "", address);
    this.#take(place);
  }

  /**
   * Calls the listener at once with what is, and returns what ends it.
   *
   * @template {keyof Place} K
   * @param {K} name
   * @param {(value: Place[K]) => void} listener
   */
  on(name, listener) {
    return /** @type {Listeners<Place[K]>} */ (this.#changed.get(name)).add(listener, this.get(name));
  }

  /** Calls the listener at once, and then at each change of any of them. @param {() => void} listener */
  onMove(listener) {
    return this.#moved.add(listener, undefined);
  }

  /** A link to another place, the rest as it is. @param {Partial<Place>} values */
  linkTo(values) {
    return addressOf(changed(this.#place, values), this.#window.location.href);
  }

  /** @param {Place} place */
  #take(place) {
    const before = this.#place;
    this.#place = place;
    const others = NAMES.filter((name) => written(name, before) !== written(name, place));
    for (const name of others) this.#changed.get(name)?.tell(place[name]);
    if (others.length) this.#moved.tell();
  }
}

/** @param {string} search @returns {Place} */
export function readPlace(search) {
  const told = new URLSearchParams(search);
  const values = NAMES.map((name) => {
    const text = told.get(name);
    return [name, text === null ? FIELDS[name].usual : FIELDS[name].read(text)];
  });
  return Object.fromEntries(values);
}

/**
 * What cannot be read of an address; of a list each part.
 *
 * @param {string} search
 * @returns {{name: keyof Place, text: string}[]}
 */
export function unread(search) {
  const told = new URLSearchParams(search);
  return NAMES.flatMap((name) => {
    const field = /** @type {Field<any>} */ (FIELDS[name]);
    const text = told.get(name) ?? "";
    const parts = Array.isArray(field.usual) ? text.split(BETWEEN) : [text];
    return parts.filter((part) => part && field.write(field.read(part)) !== part).map((part) => ({name, text: part}));
  });
}

/** @param {Place} place @param {string} href what else is in it stays */
function addressOf(place, href) {
  const address = new URL(href);
  for (const name of NAMES) {
    const text = written(name, place);
    if (text) address.searchParams.set(name, text);
    else address.searchParams.delete(name);
  }
  return address.href;
}

/** @param {keyof Place} name @param {Place} place @returns {string} empty where it is as usual */
function written(name, place) {
  const field = /** @type {Field<any>} */ (FIELDS[name]);
  const text = field.write(place[name]);
  return text === field.write(field.usual) ? "" : text;
}

/** @param {Place} place @param {Partial<Place>} values @returns {Place} */
function changed(place, values) {
  const told = tried(values);
  const leaves = (/** @type {keyof Place} */ name) =>
    name in told && place[name] !== null && place[name] !== told[name];
  const left = Object.entries(BOUND).flatMap(([name, others]) =>
    (others.some(leaves) ? [[name, FIELDS[/** @type {keyof Place} */ (name)].usual]] : []));
  return {...place, ...Object.fromEntries(left), ...told};
}

/** Only what could be read again. @param {Partial<Place>} values @returns {Partial<Place>} */
function tried(values) {
  const told = Object.entries(values).filter(([name, value]) => {
    const field = /** @type {Field<any>} */ (FIELDS[/** @type {keyof Place} */ (name)]);
    const text = field.write(value);
    return text === field.write(field.usual) || field.write(field.read(text)) === text;
  });
  return Object.fromEntries(told);
}

/** @template T @param {readonly T[]} values @param {T} usual @returns {Field<T>} */
function oneOf(values, usual) {
  return {
    usual,
    read: (text) => values.find((value) => value === text) ?? usual,
    write: (value) => String(value ?? ""),
  };
}

/** @template {string | null} T @param {RegExp} pattern @param {T} usual @returns {Field<T | string>} */
function matching(pattern, usual) {
  return {usual, read: (text) => (pattern.test(text) ? text : usual), write: (value) => value ?? ""};
}

/** @param {RegExp} pattern @returns {Field<string[]>} */
function listOf(pattern) {
  return {
    usual: [],
    read: (text) => [...new Set(text.split(BETWEEN).filter((one) => pattern.test(one)))].slice(0, MOST),
    write: (values) => values.join(BETWEEN),
  };
}

export const address = new Address();
