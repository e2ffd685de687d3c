/** How often which latency was seen. Pure. */

/** Upper ends of the bins in ms, 1-2-5; the last bin has all that took longer. As in `charts/latency.py`. */
export const EDGES_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];
const MOST = 4000;

/** Of the last samples. */
export class Histogram {
  /** @type {number[]} */
  #samples = [];
  #next = 0;
  #counts = new Array(EDGES_MS.length + 1).fill(0);

  /** @param {number} value_ms */
  add(value_ms) {
    const before = this.#samples[this.#next];
    if (before !== undefined) this.#counts[binOf(before)] -= 1;
    this.#samples[this.#next] = value_ms;
    this.#counts[binOf(value_ms)] += 1;
    this.#next = (this.#next + 1) % MOST;
  }

  get length() {
    return this.#samples.length;
  }

  /** Samples by bin. */
  get counts() {
    return [...this.#counts];
  }

  /** Each bin's share of all, 0 to 1; zeros where there are none. */
  get shares() {
    return this.#counts.map((count) => (this.length ? count / this.length : 0));
  }
}

/** @param {number} value_ms */
export function binOf(value_ms) {
  const bin = EDGES_MS.findIndex((edge_ms) => value_ms < edge_ms);
  return bin < 0 ? EDGES_MS.length : bin;
}
