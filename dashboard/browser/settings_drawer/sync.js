/**
 * Keeps the settings of a signed-in user with the feed too: all of the user's browsers are alike. Asked
 * for at each connect and when the page is seen again; sent a moment after a choice.
 */

import {explain} from "quotewire/feed_error.js";
import {Listeners} from "quotewire/listeners.js";
import {settings} from "quotewire/settings.js";
import {entriesOf, heldBack, isRecord, merge, newerThan, readEntries} from "quotewire/settings_entries.js";
import {SCHEMA} from "quotewire/settings_schema.js";

/** After the last choice; one rarely comes alone. */
const WAIT_MS = 800;
const RETRY_MS = 30_000;
/** Of these errors the same request makes no other. */
const FINAL = new Set(["forbidden", "not_found", "bad_parameter", "too_large"]);
const CONNECTED = new Set(["live", "polling", "stale"]);

/** @typedef {import("../settings.js").Entries} Entries */

export class SettingsSync {
  /** Why the feed does not keep them now; empty where it does, null before it was asked. @type {string | null} */
  problem = null;
  #connection;
  /** What the feed has; null until it has told. @type {Entries | null} */
  #known = null;
  /** By setting why the feed does not take it. @type {Map<string, string>} */
  #refused = new Map();
  /** @type {Listeners<void>} */
  #changed = new Listeners();
  /** @type {number | undefined} */
  #timer;
  #busy = false;

  /** @param {import("../connection.js").Connection} connection @param {(end: () => void) => void} until */
  constructor(connection, until) {
    this.#connection = connection;
    const seen = () => !document.hidden && this.#later(0, {anew: true});
    document.addEventListener("visibilitychange", seen);
    until(() => document.removeEventListener("visibilitychange", seen));
    let was = false;
    until(connection.onState(({state}) => {
      const is = CONNECTED.has(state);
      if (is && !was) this.#later(0, {anew: true});
      was = is;
    }));
    until(settings.onChoice(() => this.#due.length && this.#later(WAIT_MS)));
    until(() => clearTimeout(this.#timer));
  }

  /** @param {() => void} listener is called at once too, and when `problem` is another @returns {() => void} ends it */
  onChange(listener) {
    return this.#changed.add(listener, undefined);
  }

  /** What the feed has older, or not at all. */
  get #due() {
    return entriesOf(newerThan(settings.entries, this.#known ?? {}));
  }

  /** @param {number} wait_ms @param {{anew?: boolean}} [options] `anew`: ask what the feed has */
  #later(wait_ms, {anew = false} = {}) {
    if (anew) this.#known = null;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#run(), wait_ms);
  }

  async #run() {
    if (this.#busy) return this.#later(WAIT_MS);
    this.#busy = true;
    const rest_ms = await this.#exchange();
    this.#busy = false;
    if (rest_ms !== null) this.#later(rest_ms);
    this.#changed.tell();
  }

  /** @returns {Promise<number | null>} when to do it again; null: when there is a reason */
  async #exchange() {
    try {
      if (this.#known === null) {
        this.#take(await this.#connection.ask("settings"), {});
        this.#refused.clear();
      }
      const due = Object.fromEntries(this.#due);
      if (this.#due.length) this.#take(await this.#put(due), due);
      this.problem = [...this.#refused].map(([name, why]) => `${titleOf(name)}: ${why}`).join("; ");
      return this.#due.length ? WAIT_MS : null;
    } catch (error) {
      const {code, reason} = explain(error);
      this.problem = reason;
      return FINAL.has(code) ? null : RETRY_MS;
    }
  }

  /** @param {Entries} due @returns {Promise<any>} */
  #put(due) {
    return this.#connection.change("PUT", "settings", {body: {settings: due}});
  }

  /**
   * What this page cannot use of the answer, or the feed does not take, is not asked of it again and
   * again.
   *
   * @param {{settings?: unknown, refused?: unknown}} body
   * @param {Entries} sent
   */
  #take({settings: told, refused}, sent) {
    const {entries} = readEntries(told);
    this.#known = merge(entries, sent);
    settings.take(this.#known);
    settings.restamp(heldBack(settings.entries, sent, entries));
    for (const name of Object.keys(sent)) this.#refused.delete(name);
    for (const [name, why] of Object.entries(isRecord(refused) ? refused : {})) {
      this.#refused.set(name, String(why));
    }
  }
}

/** @param {string} name */
function titleOf(name) {
  return /** @type {Record<string, {title?: string}>} */ (SCHEMA)[name]?.title ?? name;
}
