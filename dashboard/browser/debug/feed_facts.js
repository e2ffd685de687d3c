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
  /** @type {import("../protocol.js").SourceStatus[] | null} null while it is not told; what is pushed tells only news */
  sources = null;
  /** @type {{at_ms: number, reason: string} | null} why it was last not told how the gateways do */
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
    const [gateways, subscriptions, status] = await Promise.allSettled(
      ["gateways", "subscriptions", "status"].map((path) => this.#connection.ask(path)));
    this.problem = gateways.status === "rejected"
      ? {at_ms: Date.now(), reason: explain(gateways.reason).reason} : null;
    if (gateways.status === "fulfilled") this.#measure(this.gateways = gateways.value);
    if (subscriptions.status === "fulfilled") this.subscriptions = subscriptions.value;
    this.sources = status.status === "fulfilled" ? status.value.sources : null;
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
