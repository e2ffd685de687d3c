/** How long data takes: percentiles, how they are spread, and how they were over the last minutes. */

import {h, setText} from "quotewire/dom.js";
import {LatencyFigures} from "quotewire/debug/figures.js";
import {card} from "quotewire/debug/parts.js";
import {formatCount, formatMs} from "quotewire/format.js";
import {watchTheme} from "quotewire/theme.js";
import {settings} from "quotewire/settings.js";

const PERCENTILES = /** @type {const} */ (["p50_ms", "p95_ms", "p99_ms"]);
/** @typedef {ReturnType<import("../connection.js").Connection["stats"]>} Stats */

export class LatencyCard {
  #spans = {event: new Span("event", "Event → received"), painted: new Span("painted", "Received → painted")};
  #why = h("p", {class: "note", "data-testid": "debug-latency-note"});
  /** @type {LatencyFigures | null} */
  #figures = null;

  /** @param {import("../panel.d.ts").ElementContext} context @param {(end: () => void) => void} until */
  constructor({model, view}, until) {
    const [histogram, series] = /** @type {Node[]} */ (/** @type {unknown} */ (model.get_child("figures"))) ?? [];
    const made = Boolean(histogram && series);
    const drawn = made ? [
      figure("Share of updates by latency, ms", "debug-histogram", histogram),
      figure("Last 5 minutes, ms · p50 solid, p95 dashed, p99 dotted", "debug-series", series),
    ] : [h("p", {class: "empty"}, "The figures come from the dashboard’s server …")];
    this.element = card("Latency", "latency", {},
      h("div", {class: "spans"}, this.#spans.event.element, this.#spans.painted.element), this.#why,
      h("div", {class: "figures"}, ...drawn));
    if (made) {
      this.#figures = new LatencyFigures(model.parts);
      // The colours are there with the theme's next frame.
      const dress = () => requestAnimationFrame(() => this.#figures?.dress(this.element));
      until(watchTheme(view, dress));
      until(settings.onChange(dress));
    }
  }

  /** @param {import("./recorder.js").Recorder} recorder @param {Stats} stats @param {number} now_ms */
  show(recorder, {event_to_received, received_to_shown}, now_ms) {
    const {event, painted} = this.#spans;
    event.show(event_to_received, recorder.latency.event.length);
    painted.show(received_to_shown, recorder.latency.painted.length);
    setText(this.#why, event_to_received.p50_ms === null
      ? "Event → received is not measured: what comes is replayed, or nothing came yet." : "");
    this.#figures?.show(recorder, now_ms);
  }
}

class Span {
  #values = PERCENTILES.map((name) => h("b", {"data-testid": `debug-${name}`}));
  #count = h("small");

  /** @param {string} name @param {string} title */
  constructor(name, title) {
    this.element = h("div", {class: "span", "data-span": name, "data-testid": `debug-span-${name}`},
      h("h3", {}, h("i", {class: "key", "aria-hidden": "true"}), title),
      h("div", {class: "percentiles"}, ...PERCENTILES.map((percentile, i) =>
        h("span", {}, h("small", {}, percentile.slice(0, 3)), this.#values[i]))), this.#count);
  }

  /** @param {import("../core/latency.js").Reading} reading @param {number} samples */
  show(reading, samples) {
    PERCENTILES.forEach((name, i) => setText(this.#values[i], formatMs(reading[name])));
    setText(this.#count, `${formatCount(samples)} in the histogram`);
  }
}

/** @param {string} title @param {string} name @param {Node} drawn */
function figure(title, name, drawn) {
  return h("figure", {"data-testid": name}, h("figcaption", {}, title), h("div", {class: "plot"}, drawn));
}
