/**
 * The user's alerts, in step with the feed: asked for at each connect, whenever the feed says that
 * they have changed, and now and then. What has fired comes from the history, by its cursor: none is
 * left out, and none comes twice.
 *
 * @typedef {import("./book.js").Alert} Alert
 * @typedef {import("./book.js").Fired} Fired
 * @typedef {import("../connection.js").Connection} Connection
 */

import {AlertBook, beat_ms, isAlertList} from "quotewire/alerts/book.js";
import {QuietLink} from "quotewire/alerts/quiet_link.js";
import {tellFired} from "quotewire/alerts/told.js";
import {explain, SENSELESS} from "quotewire/feed_error.js";
import {Listeners} from "quotewire/listeners.js";

/** @type {WeakMap<Connection, AlertsFeed>} */
const shared = new WeakMap();

/** One for all elements of a page. @param {Connection} connection */
export function alertsOf(connection) {
  let feed = shared.get(connection);
  if (!feed) shared.set(connection, feed = new AlertsFeed(connection));
  return feed;
}

export class AlertsFeed {
  book = new AlertBook();
  /** Why the feed does not tell; empty where it does. */
  problem = "";
  #connection;
  #quiet;
  /** @type {Listeners<AlertsFeed>} */
  #changed = new Listeners();
  #users = 0;
  /** @type {(() => void)[]} */
  #ends = [];
  /** @type {number | undefined} */
  #timer;
  #asking = false;
  #again = false;
  /** Whether the feed will not tell, as where nobody has signed in; `problem` says why. */
  refused = false;

  /** @param {Connection} connection */
  constructor(connection) {
    this.#connection = connection;
    this.#quiet = new QuietLink(connection, () => this.refresh());
  }

  /** Calls the listener at once too, and returns what ends it. @param {(feed: AlertsFeed) => void} listener */
  use(listener) {
    if (this.#users === 0) this.#start();
    this.#users += 1;
    const unhear = this.#changed.add(listener, this);
    return () => {
      unhear();
      this.#users -= 1;
      if (this.#users === 0) this.#stop();
    };
  }

  /** Ask the feed; returns when it has answered, or has not. */
  async refresh() {
    this.#again = this.#asking;
    if (this.#asking) return;
    this.#asking = true;
    clearTimeout(this.#timer);
    await this.#ask();
    this.#asking = false;
    if (this.#again) await this.refresh();
    else this.#rest();
  }

  /**
   * @param {{symbol: string, condition: string, level: number, repeat: boolean, note: string}} alert
   * @returns {Promise<Alert>} rejects as `Connection.change`
   */
  async set(alert) {
    const set = await this.#connection.change("POST", "alerts", {body: alert});
    await this.refresh();
    return set;
  }

  /** @param {string} id rejects as `Connection.change` */
  async remove(id) {
    try {
      await this.#connection.change("DELETE", "alerts", {query: {id}});
    } finally {
      await this.refresh();
    }
  }

  #start() {
    const seen = () => !document.hidden && this.refresh();
    document.addEventListener("visibilitychange", seen);
    this.#ends = [
      () => document.removeEventListener("visibilitychange", seen),
      this.#connection.onAlerted(() => this.refresh()),
      this.#connection.onState(() => this.refresh()),
    ];
  }

  #stop() {
    for (const end of this.#ends.splice(0)) end();
    clearTimeout(this.#timer);
    this.#quiet.want(false);
  }

  async #ask() {
    const first = !this.book.isKnown;
    try {
      const body = await this.#connection.ask("alerts", {since: this.book.cursor});
      if (!isAlertList(body)) throw new Error(SENSELESS);
      const fresh = this.book.take(body);
      this.problem = "";
      this.refused = false;
      tellFired(this.#connection, fresh, this.book.cursor, first);
    } catch (error) {
      const {code, reason} = explain(error);
      this.problem = reason;
      this.refused = code === "forbidden" || code === "not_found";
    }
    if (this.#users) this.#changed.tell(this);
  }

  #rest() {
    if (!this.#users) return;
    const {state, code} = this.#connection.state;
    const any = this.book.alerts.length > 0;
    this.#quiet.want(any && code === "hidden");
    this.#timer = setTimeout(() => this.refresh(), beat_ms(state, any, this.refused));
  }
}
