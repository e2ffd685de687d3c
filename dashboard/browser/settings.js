/**
 * What the user has set: kept in this browser, in step in all of its tabs. What a page was made with
 * counts where nothing was chosen, and then what is usual.
 *
 * @typedef {import("./settings_schema.js").Values} Values
 * @typedef {Values["mode"]} Mode
 * @typedef {import("./settings_entries.js").Entries} Entries
 * @typedef {import("./settings_entries.js").Name} Name
 * @typedef {Pick<typeof browserStorage, "belongTo" | "load" | "keep" | "onElsewhere">} Storage
 */

import {Listeners} from "quotewire/listeners.js";
import {
  chosenAt, chosenOf, entriesOf, isSame, merge, NAMES, readEntries, USUAL,
} from "quotewire/settings_entries.js";
import {browserStorage} from "quotewire/settings_storage.js";

export class Settings {
  /** Whether the browser keeps what is chosen; until the page is closed it counts in any case. */
  isKept = true;
  #storage;
  /** @type {Partial<Values>} */
  #suggested = {};
  /** @type {Entries} */
  #entries = {};
  /** @type {Values} */
  #values = USUAL;
  /** @type {Name[]} not told yet */
  #refused = [];
  /** @type {Listeners<Values>} */
  #changed = new Listeners();
  /** @type {Listeners<Entries>} */
  #chosen = new Listeners();
  /** @type {Listeners<Name[]>} */
  #refusal = new Listeners();

  /** @param {Storage} [storage] */
  constructor(storage = browserStorage) {
    this.#storage = storage;
    this.#load();
    if (this.#refused.length) this.#keep();
    storage.onElsewhere(() => this.#load());
  }

  /** @returns {Values} not to be changed in place */
  get values() {
    return this.#values;
  }

  /** What was chosen, with when. @returns {Entries} */
  get entries() {
    return this.#entries;
  }

  /** What another one has chosen in this browser is not theirs. @param {string} user empty: nobody has signed in */
  belongTo(user) {
    if (!this.#storage.belongTo(user)) return;
    this.#entries = {};
    this.#load();
    this.#tell();
    this.#chosen.tell(this.#entries);
  }

  /** What the page was made with; it is not kept. @param {Partial<Values>} values */
  suggest(values) {
    Object.assign(this.#suggested, chosenOf(chosenAt(values, 0).entries));
    this.#tell();
  }

  /**
   * What the user chose; what is so already is not kept as chosen.
   *
   * @param {{[name in Name]?: Values[name] | null}} values null: as is usual again
   * @returns {Name[]} those that may not be so
   */
  choose(values) {
    const {entries, refused} = chosenAt(values, 0);
    const others = entriesOf(entries).filter(([name, {value}]) =>
      !refused.includes(name) && !isSame(value ?? this.#usual(name), this.#values[name]));
    if (!others.length) return refused;
    this.#merge(readEntries(this.#storage.load()).entries); // another tab may just have chosen
    const stamped = others.map(([name, {value}]) => [name, {value, at_ms: this.#nextTime(name)}]);
    this.#merge(Object.fromEntries(stamped));
    this.#keep();
    return refused;
  }

  /**
   * What was chosen elsewhere: newer choices of the same things stay.
   *
   * @param {Entries} entries
   */
  take(entries) {
    if (this.#merge(entries)) this.#keep();
  }

  /**
   * What was chosen here, with the time that the feed keeps: a clock that is ahead would make each
   * choice of this browser the newest until that time has come.
   *
   * @param {Entries} entries none of them changes a value
   */
  restamp(entries) {
    if (!entriesOf(entries).length) return;
    this.#entries = {...this.#entries, ...entries};
    this.#keep();
  }

  /** All as is usual. */
  reset() {
    this.choose(Object.fromEntries(NAMES.map((name) => [name, null])));
  }

  /** Calls the listener at once too, and returns what ends it. @param {(values: Values) => void} listener */
  onChange(listener) {
    return this.#changed.add(listener, this.#values);
  }

  /** As `onChange`, with `entries`. @param {(entries: Entries) => void} listener */
  onChoice(listener) {
    return this.#chosen.add(listener, this.#entries);
  }

  /** Hears which could not be used of what was kept. @param {(names: Name[]) => void} listener */
  onRefused(listener) {
    const end = this.#refusal.hear(listener);
    this.#tellRefused();
    return end;
  }

  #load() {
    const {entries, refused} = readEntries(this.#storage.load());
    this.#refused = [...new Set([...this.#refused, ...refused])];
    this.#merge(entries);
    this.#tellRefused();
  }

  /** @param {Entries} entries @returns {boolean} whether that changed any */
  #merge(entries) {
    const before = this.#entries;
    this.#entries = merge(before, entries);
    if (isSame(this.#entries, before)) return false;
    this.#tell();
    this.#chosen.tell(this.#entries);
    return true;
  }

  /** @param {Name} name */
  #usual(name) {
    return this.#suggested[name] ?? USUAL[name];
  }

  /** A clock that was set back makes no choice old. @param {Name} name */
  #nextTime(name) {
    return Math.max(Date.now(), (this.#entries[name]?.at_ms ?? -1) + 1);
  }

  #tell() {
    const values = {...USUAL, ...this.#suggested, ...chosenOf(this.#entries)};
    if (isSame(values, this.#values)) return;
    this.#values = Object.freeze(values);
    this.#changed.tell(values);
  }

  #tellRefused() {
    if (!this.#refused.length || !this.#refusal.hasAny) return;
    this.#refusal.tell(this.#refused.splice(0));
  }

  #keep() {
    this.isKept = this.#storage.keep(this.#entries);
  }
}

export const settings = new Settings();
