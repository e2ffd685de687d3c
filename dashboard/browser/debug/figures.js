/** The figures of latencies: made in Python, fed here with what this browser has measured. */

import {readColours} from "quotewire/chart/colours.js";
import {plain} from "quotewire/chart/plain.js";
import {EDGES_MS} from "quotewire/debug/histogram.js";

/** @type {import("../panel.d.ts").Here} */
const HERE = {sync: false};
const SPANS = /** @type {const} */ (["event", "painted"]);
const NAMES = SPANS.flatMap((span) => ["p50", "p95", "p99"].map((percentile) => `${span}_${percentile}`));
/** Half of a bar's width beside its bin. */
const BESIDE = 0.19;
const LEAST_MS = 10;
/** Over the highest, so that it is not cut. */
const ROOM = 1.12;

export class LatencyFigures {
  #parts;

  /** @param {any} parts as Python made them */
  constructor(parts) {
    this.#parts = plain(parts);
    for (const {y_range} of [this.#parts.histogram, this.#parts.series]) {
      Object.defineProperty(y_range, "is_syncable", {value: false, configurable: true});
    }
  }

  /** @param {import("./recorder.js").Recorder} recorder @param {number} now_ms */
  show({latency, series}, now_ms) {
    const bins = [...EDGES_MS, Infinity].map((_, bin) => bin);
    const shares = {event: latency.event.shares, painted: latency.painted.shares};
    this.#feed(this.#parts.histogram, {
      event_x: bins.map((bin) => bin - BESIDE), painted_x: bins.map((bin) => bin + BESIDE), ...shares,
    }, Math.max(0.1, ...shares.event, ...shares.painted));
    this.#feed(this.#parts.series, series.columns(NAMES, now_ms), Math.max(LEAST_MS, series.most(NAMES)));
  }

  /** @param {any} figure @param {Record<string, number[]>} data @param {number} most */
  #feed({source, y_range}, data, most) {
    source.setv({data}, HERE);
    y_range.setv({end: most * ROOM}, HERE);
  }

  /** @param {HTMLElement} element within the element whose colours they have */
  dress(element) {
    const colours = readColours(element);
    const of = {event: colours.series[0], painted: colours.accent};
    for (const {axes, grid} of [this.#parts.histogram, this.#parts.series]) {
      for (const axis of axes) axis.setv({major_label_text_color: colours.muted}, HERE);
      grid.setv({grid_line_color: colours.line}, HERE);
    }
    for (const span of SPANS) {
      this.#parts.histogram.bars[span].glyph.setv({fill_color: of[span]}, HERE);
      for (const line of this.#parts.series.lines[span]) line.glyph.setv({line_color: of[span]}, HERE);
    }
  }
}
