/** What the feed tells of itself, asked for now and then while a panel is open. */

import {Rates} from "quotewire/debug/series.js";
import {explain} from "quotewire/feed_error.js";

const EVERY_MS = 2000;

/**
 * @typedef {object} GatewayReport as `feed_server/protocol/gateways.py` has it
 * @property {string} server
 * @property {number} updated_ms
 * @property {number} started_ms
 * @property {number} clients
 * @property {number} clients_behind
 * @property {number} cohorts
 * @property {number} symbols
 * @property {number} symbols_behind
 * @property {number} rate
 * @property {number | null} flush_p50_ms
 * @property {number | null} flush_p99_ms
 * @property {number | null} latency_p50_ms
 * @property {number | null} latency_p99_ms
 * @property {number} backlog_bytes
 * @property {number} largest_backlog_bytes
 * @property {number | null} redis_lag_ms
 * @property {boolean} hears
 * @property {number} updates
 * @property {number} frames
 * @property {number} sent_bytes
 * @property {number} missed
 *
 * @typedef {{reachable: boolean, message?: string} & Record<string, any>} RedisState likewise
 * @typedef {{server: string, gateways: GatewayReport[], redis: RedisState}} GatewayList likewise
 */

export class FeedFacts {
  /** @type {GatewayList | null} null until it was told */
  gateways = null;
  /** @type {Record<string, number> | null} likewise: how many want each symbol */
  subscriptions = null;
  /** @type {import("../protocol.js").SourceStatus[] | null} likewise; what is pushed tells only news */
  sources = null;
  /** @type {{at_ms: number, reason: string} | null} why the last question was not answered */
  problem = null;
  /** @type {Map<string, Record<string, number>>} by gateway, a second */
  rates = new Map();
  #connection;
  #rates = new Rates();
  #timer = 0;
  #isAsking = false;

  /** @param {import("../connection.js").Connection} connection */
  constructor(connection) {
    this.#connection = connection;
  }

  /** @returns {() => void} ends it */
  follow() {
    this.#ask();
    this.#timer = setInterval(() => this.#ask(), EVERY_MS);
    return () => clearInterval(this.#timer);
  }

  async #ask() {
    if (this.#isAsking || document.hidden) return;
    this.#isAsking = true;
    try {
      const answers = await Promise.all([
        this.#connection.ask("gateways"), this.#connection.ask("subscriptions"), this.#connection.ask("status"),
      ]);
      [this.gateways, this.subscriptions] = answers;
      this.sources = answers[2].sources;
      this.problem = null;
      this.#measure(answers[0]);
    } catch (error) {
      this.problem = {at_ms: Date.now(), reason: explain(error).reason};
    }
    this.#isAsking = false;
  }

  /** @param {GatewayList} told */
  #measure({gateways}) {
    for (const {server, updated_ms, updates, frames, sent_bytes, missed} of gateways) {
      const rates = this.#rates.read(server, updated_ms, {updates, frames, sent_bytes, missed});
      if (rates) this.rates.set(server, rates);
    }
  }
}
