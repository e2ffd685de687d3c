/**
 * Single latencies, out of what goes by: of each message one row is measured, the last, as the
 * connection's own meter does. Pure; the time is an argument.
 *
 * @typedef {{event_ms: number, received_ms: number, rows: any[][]}} Frame
 */

import {Histogram} from "quotewire/debug/histogram.js";

/** Where a row tells when it happened and when the feed had it, against its frame. */
const TIMES = {quotes: 6, trades: 3};
/** An event that is older than this when the feed receives it was no live one. */
const REPLAYED_MS = 86_400_000;
const MOST_UNPAINTED = 512;

export class LatencySamples {
  event = new Histogram();
  painted = new Histogram();
  /** @type {number[]} when the feed had what is not painted yet */
  #unpainted = [];

  /** @param {import("../traffic.js").Passed} passed @param {(symbol: string) => boolean} isReplayed */
  take({direction, kind, body}, isReplayed) {
    if (direction !== "in" || (kind !== "quotes" && kind !== "trades")) return;
    const {rows, event_ms, received_ms, snapshot} = /** @type {Frame & {snapshot?: boolean}} */ (body);
    const row = rows.at(-1);
    if (!row || snapshot) return; // state as it is, is old by its nature
    const at = TIMES[kind];
    const [happened_ms, had_ms] = [event_ms + row[at], received_ms + row[at + 1]];
    if (had_ms - happened_ms < REPLAYED_MS && !isReplayed(row[0])) {
      this.event.add(Math.max(0, had_ms - happened_ms));
    }
    this.#unpainted.push(had_ms);
    if (this.#unpainted.length > MOST_UNPAINTED) this.#unpainted.shift();
  }

  /** All that came by now is on the screen. @param {number} now_ms @param {number | null} offset_ms the server's clock less ours */
  paint(now_ms, offset_ms) {
    const waited = this.#unpainted.splice(0);
    if (offset_ms === null) return;
    for (const had_ms of waited) this.painted.add(Math.max(0, now_ms + offset_ms - had_ms));
  }

  /** What waited says nothing of how quick the feed is: nobody looked. */
  skip() {
    this.#unpainted = [];
  }
}
