/**
 * What is measured and kept of a connection while a debug panel is open: nothing while none is. The
 * panels of a page share one.
 */

import {LatencySamples} from "quotewire/debug/latency_samples.js";
import {Ring} from "quotewire/debug/ring.js";
import {Series} from "quotewire/debug/series.js";
import {once} from "quotewire/listeners.js";
import {pause} from "quotewire/pause.js";

const SECOND_MS = 1000;
const MESSAGES = 500;
const MESSAGES_BYTES = 2_000_000;
/** What the panel itself asks for, again and again, is not what one looks for. */
const OWN = new Set(["GET gateways", "GET subscriptions", "GET status"]);

/** @typedef {import("../connection.js").Connection} Connection */

export class Recorder {
  ring = new Ring(MESSAGES, MESSAGES_BYTES);
  latency = new LatencySamples();
  series = new Series();
  #connection;
  #users = 0;
  #ends = /** @type {(() => void)[]} */ ([]);
  #bytes = 0;
  #messages = 0;
  /** @type {number | null} the server's clock less ours, as of the last second */
  #offset_ms = null;

  /** @param {Connection} connection */
  constructor(connection) {
    this.#connection = connection;
  }

  /** @returns {() => void} ends it; with the last one nothing more is recorded */
  use() {
    if (this.#users === 0) this.#begin();
    this.#users += 1;
    return once(() => {
      this.#users -= 1;
      if (this.#users === 0) this.#ends.splice(0).forEach((end) => end());
    });
  }

  #begin() {
    const {bytes, clock_offset_ms} = this.#connection.stats();
    [this.#bytes, this.#messages, this.#offset_ms] = [bytes, this.ring.count, clock_offset_ms];
    const timer = setInterval(() => this.#sample(), SECOND_MS);
    this.#ends = [
      () => clearInterval(timer),
      this.#connection.traffic.hear((passed) => this.#take(passed)),
      this.#connection.onPainted((now_ms) => this.#paint(now_ms)),
    ];
  }

  /** @param {import("../traffic.js").Passed} passed */
  #take(passed) {
    if (OWN.has(passed.kind)) return;
    this.ring.add(passed);
    const {symbols} = this.#connection;
    this.latency.take(passed, (symbol) => symbols?.get(symbol)?.label === "REPLAY");
  }

  /** @param {number} now_ms */
  #paint(now_ms) {
    if (pause.isPaused || document.hidden) this.latency.skip();
    else this.latency.paint(now_ms, this.#offset_ms);
  }

  #sample() {
    const {
      event_to_received: event, received_to_shown: painted, per_second, bytes, clock_offset_ms,
    } = this.#connection.stats();
    const messages = this.ring.count;
    this.series.add({at_ms: Date.now(), values: {
      event_p50: event.p50_ms, event_p95: event.p95_ms, event_p99: event.p99_ms,
      painted_p50: painted.p50_ms, painted_p95: painted.p95_ms, painted_p99: painted.p99_ms,
      rows: per_second, bytes: bytes - this.#bytes, messages: messages - this.#messages,
    }});
    [this.#bytes, this.#messages, this.#offset_ms] = [bytes, messages, clock_offset_ms];
  }
}

/** @type {WeakMap<Connection, Recorder>} */
const recorders = new WeakMap();

/** @param {Connection} connection */
export function recorderOf(connection) {
  const recorder = recorders.get(connection) ?? new Recorder(connection);
  recorders.set(connection, recorder);
  return recorder;
}
