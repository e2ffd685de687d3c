/** What one can choose of a chart: intervals, ranges, kind and scale; and its tools. */

import {INTERVALS} from "quotewire/address.js";
import {rangesOf} from "quotewire/chart/ranges.js";
import {h} from "quotewire/dom.js";

/** @type {[string, string][]} */
const KINDS = [["candles", "Candles"], ["hollow", "Hollow candles"], ["line", "Line"], ["area", "Area"]];
/** @type {["log" | "percent", string, string][]} */
const SCALES = [["log", "Log", "Logarithmic prices"], ["percent", "%", "Percent of the first bar in view"]];

/**
 * @typedef {import("../address.js").Address} Address
 *
 * @typedef {object} Tool
 * @property {string} name its test id
 * @property {string} label
 * @property {string} title
 * @property {(button: HTMLElement) => void} onUse
 */

export class Toolbar {
  #place;
  #intervals;
  #ranges = h("div", {class: "segments", role: "group", "aria-label": "Range"});
  #kind;
  #scales;
  /** @type {Map<string, HTMLElement>} */
  #tools;

  /**
   * @param {Address} place what is chosen is kept there
   * @param {Tool[]} tools
   * @param {(end: () => void) => void} until
   */
  constructor(place, tools, until) {
    this.#place = place;
    this.#intervals = INTERVALS.map((interval) => this.#choice(`interval-${interval}`, interval,
      `Bars of ${interval}`, () => place.set({interval, range: ""})));
    this.#scales = SCALES.map(([scale, label, title]) => ({scale, button: this.#choice(
      `scale-${scale}`, label, title,
      () => place.set({scale: place.get("scale") === scale ? "linear" : scale}))}));
    this.#kind = this.#kinds();
    this.#tools = new Map(tools.map((tool) => [tool.name, toolButton(tool)]));
    this.element = h("div", {class: "toolbar", role: "toolbar", "aria-label": "Chart"},
      h("div", {class: "segments", role: "group", "aria-label": "Interval"}, ...this.#intervals),
      this.#ranges, this.#kind,
      h("div", {class: "segments", role: "group", "aria-label": "Scale"},
        ...this.#scales.map(({button}) => button)),
      h("div", {class: "tools", role: "group", "aria-label": "Tools"}, ...this.#tools.values()));
    until(place.on("interval", (interval) => this.#listRanges(interval)));
    until(place.on("range", () => this.#markRange()));
    until(place.on("kind", (kind) => (this.#kind.value = kind)));
  }

  /** @param {string} name of a tool @returns {HTMLElement} */
  button(name) {
    return this.#tools.get(name) ?? this.element;
  }

  /** @param {string} shown the scale @param {boolean} fixed whether it cannot be another now */
  markScale(shown, fixed) {
    for (const {scale, button} of this.#scales) {
      press(button, scale === shown);
      button.toggleAttribute("disabled", fixed);
    }
  }

  #kinds() {
    const options = KINDS.map(([value, label]) => h("option", {value}, label));
    return /** @type {HTMLSelectElement} */ (h("select", {
      "aria-label": "Kind of chart", "data-testid": "chart-kind",
      onchange: ({target}) => this.#place.set({kind: target.value}),
    }, ...options));
  }

  /** @param {string} testId @param {string} label @param {string} title @param {() => void} onclick */
  #choice(testId, label, title, onclick) {
    return h("button", {type: "button", title, "data-testid": testId, onclick}, label);
  }

  /** @param {string} interval */
  #listRanges(interval) {
    this.#intervals.forEach((button) => press(button, button.textContent === interval));
    this.#ranges.replaceChildren(...rangesOf(interval).map(({name, label, title}) =>
      this.#choice(`range-${name}`, label, title, () => this.#chooseRange(name))));
    this.#markRange();
  }

  /** Also when it is chosen already: the view may have been moved since. @param {string} range */
  #chooseRange(range) {
    this.#place.set({range: ""});
    this.#place.set({range});
  }

  #markRange() {
    const range = this.#place.get("range");
    for (const button of /** @type {HTMLElement[]} */ ([...this.#ranges.children])) {
      press(button, button.dataset.testid === `range-${range}`);
    }
  }

}

/** @param {Tool} tool */
function toolButton({name, label, title, onUse}) {
  const button = h("button", {type: "button", title, "data-testid": name}, label);
  button.addEventListener("click", () => onUse(button));
  return button;
}

/** @param {HTMLElement} button @param {boolean} on */
export function press(button, on) {
  button.setAttribute("aria-pressed", String(on));
}
