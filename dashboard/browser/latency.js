/** How long data takes and how much of it comes. Pure: the time is an argument. */

const SAMPLES = 512;
const PINGS = 16;
const RATE_SECONDS = 5;

/** The server's clock less ours, from the ping with the least round trip of the last few. */
export class ClockOffset {
  /** @type {{round_trip_ms: number, offset_ms: number}[]} */
  #pings = [];

  /** Add one ping: when it was sent and answered by our clock, and the server's clock between. */
  add(sent_ms, server_ms, answered_ms) {
    const round_trip_ms = answered_ms - sent_ms;
    const offset_ms = server_ms - (sent_ms + round_trip_ms / 2);
    this.#pings = [...this.#pings, {round_trip_ms, offset_ms}].slice(-PINGS);
  }

  clear() {
    this.#pings = [];
  }

  /** @returns {{round_trip_ms: number, offset_ms: number} | null} */
  best() {
    const least = (a, b) => (b.round_trip_ms < a.round_trip_ms ? b : a);
    return this.#pings.length ? this.#pings.reduce(least) : null;
  }
}

/** Percentiles over the last samples. */
export class Percentiles {
  #samples = [];

  add(value) {
    this.#samples.push(value);
    if (this.#samples.length > SAMPLES) this.#samples.shift();
  }

  clear() {
    this.#samples = [];
  }

  /** @returns {number | null} nearest-rank percentile */
  at(percent) {
    if (!this.#samples.length) return null;
    const sorted = [...this.#samples].sort((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
  }
}

/** Events a second over the last few seconds. */
export class Rate {
  /** @type {Map<number, number>} count by second */
  #seconds = new Map();

  add(now_ms, count = 1) {
    const second = Math.floor(now_ms / 1000);
    this.#seconds.set(second, (this.#seconds.get(second) ?? 0) + count);
    for (const old of this.#seconds.keys()) {
      if (old < second - RATE_SECONDS) this.#seconds.delete(old);
    }
  }

  /** Over whole seconds, so that the running one does not make it jump. */
  perSecond(now_ms) {
    const second = Math.floor(now_ms / 1000);
    let sum = 0;
    for (const [at, count] of this.#seconds) {
      if (at < second && at >= second - RATE_SECONDS) sum += count;
    }
    return sum / RATE_SECONDS;
  }
}
