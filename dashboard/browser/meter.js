/** What a connection counts and measures. Pure: the time is an argument. */

import {ClockOffset, Percentiles, Rate} from "quotewire/latency.js";

export class Meter {
  reconnects = 0;
  #message_ms = null;
  #data_ms = null;
  #clock = new ClockOffset();
  #latency = new Percentiles();
  #rate = new Rate();
  #pings = new Map();
  /** @type {number[]} receive times of what is applied and not yet painted */
  #unpainted = [];
  #shown = true;
  #live = 0;

  /** @param {number} now_ms */
  message(now_ms) {
    this.#message_ms = now_ms;
  }

  /** @param {import("./book.js").Quote[]} quotes that changed by a push */
  applied(quotes) {
    if (!this.#shown) return;
    for (const {received_ms} of quotes) this.#unpainted.push(received_ms);
  }

  /** A hidden page paints nothing: what waited there is no measure of the way. */
  showing(shown) {
    this.#shown = shown;
    this.#unpainted = [];
  }

  /** @param {number} count rows that brought something new */
  rows(now_ms, count) {
    this.#rate.add(now_ms, count);
    if (count) this.#data_ms = now_ms;
  }

  painted(now_ms) {
    const offset_ms = this.#clock.best()?.offset_ms;
    if (offset_ms !== undefined) {
      for (const received_ms of this.#unpainted) {
        this.#latency.add(Math.max(0, now_ms + offset_ms - received_ms));
      }
    }
    this.#unpainted = [];
  }

  /** How long ago the server heard of something; by our own clock where its is not known. */
  age(received_ms, now_ms) {
    return Math.max(0, now_ms + (this.#clock.best()?.offset_ms ?? 0) - received_ms);
  }

  pinged(id, now_ms) {
    this.#pings.clear();
    this.#pings.set(id, now_ms);
  }

  ponged({id, time_ms}, now_ms) {
    const sent_ms = this.#pings.get(id);
    if (sent_ms !== undefined) this.#clock.add(sent_ms, time_ms, now_ms);
  }

  /** Another server may answer from here on, with another clock. */
  welcomed() {
    this.#live += 1;
    this.reconnects = this.#live - 1;
    this.#pings.clear();
    this.#clock.clear();
    this.#latency.clear();
  }

  facts(now_ms) {
    return {
      latency_p50_ms: this.#latency.at(50),
      latency_p95_ms: this.#latency.at(95),
      round_trip_ms: this.#clock.best()?.round_trip_ms ?? null,
      per_second: this.#rate.perSecond(now_ms),
      last_message_age_ms: this.#message_ms === null ? null : now_ms - this.#message_ms,
      last_data_age_ms: this.#data_ms === null ? null : now_ms - this.#data_ms,
      reconnects: this.reconnects,
    };
  }
}
