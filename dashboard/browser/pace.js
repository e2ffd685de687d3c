/** At most so many a second: the first at once, the next when its time has come. Pure. */
export class Pace {
  #gap_ms = 0;
  /** When the next may be. */
  free_ms = -Infinity;

  /** Set another rate; it counts from the last one on. @param {number} max_hz 0 for no limit */
  configure(max_hz) {
    const gap_ms = max_hz ? 1000 / max_hz : 0;
    this.free_ms += gap_ms - this.#gap_ms;
    this.#gap_ms = gap_ms;
  }

  /** Whether one may be now; it is taken then. @param {number} now_ms */
  take(now_ms) {
    if (now_ms < this.free_ms) return false;
    this.free_ms = now_ms + this.#gap_ms;
    return true;
  }
}
