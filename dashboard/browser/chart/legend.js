/** What the bar under the pointer says, and the values there of all that is drawn beside it. */

import {h, setText} from "quotewire/dom.js";
import {
  directionOf, formatPercent, formatPrice, formatVolume,
} from "quotewire/format.js";
import {barTime} from "quotewire/zone.js";

/** @typedef {import("../core/bars.js").Bar} Bar */

/** @type {[string, "open" | "high" | "low" | "close" | "volume"][]} */
const VALUES = [["O", "open"], ["H", "high"], ["L", "low"], ["C", "close"], ["V", "volume"]];

/**
 * @typedef {object} Shown something that is drawn beside the bars
 * @property {string} name
 * @property {string} title
 * @property {string[]} colours of its values
 * @property {() => void} [onEdit]
 * @property {() => void} onRemove
 */

/** One thing's name, values and buttons. */
export class LegendEntry {
  #values;

  /** @param {Shown} shown @param {string} testId */
  constructor({name, title, colours, onEdit, onRemove}, testId) {
    this.#values = colours.map((colour) => {
      const value = h("b");
      value.style.color = colour;
      return value;
    });
    const called = onEdit
      ? h("button", {type: "button", class: "name", title: `${title}: edit`, onclick: onEdit}, name)
      : h("span", {class: "name", title}, name);
    called.style.color = colours[0];
    this.element = h("span", {class: "entry", "data-testid": testId}, called,
      ...this.#values.flatMap((value) => [" ", value]),
      h("button", {
        type: "button", class: "remove", title: `Remove ${name}`, "aria-label": `Remove ${name}`,
        onclick: onRemove,
      }, "×"));
  }

  /** @param {string[]} texts @param {string} [why] there is no value, where it can be told */
  show(texts, why = "") {
    if (this.element.title !== why) this.element.title = why;
    this.#values.forEach((value, i) => setText(value, texts[i] ?? ""));
  }
}

/** The row over the figures. */
export class Legend {
  #decimals = 2;
  #interval = "1d";
  #zone = "UTC";
  #date = h("span", {class: "date", "data-testid": "legend-date"});
  #change = h("b", {class: "change", "data-testid": "legend-change"});
  #values = VALUES.map(([letter, field]) =>
    ({letter, field, element: h("b", {"data-testid": `legend-${field}`})}));
  #bar = h("span", {class: "bar"}, this.#date,
    ...this.#values.map(({letter, element}) => h("span", {}, `${letter} `, element)), this.#change);
  #entries = h("span", {class: "entries"});
  element = h("div", {class: "legend", "data-testid": "legend"}, this.#bar, this.#entries);

  /** @param {import("./figure.js").Subject} subject */
  begin({decimals, interval, zone}) {
    this.#decimals = decimals;
    this.#interval = interval;
    this.#zone = zone;
  }

  /** All that it says. */
  get text() {
    const said = /** @type {HTMLElement[]} */ ([...this.element.querySelectorAll(".date, .bar > span:not(.date), .bar > b, .entry")]);
    return said.map(({textContent}) => (textContent ?? "").replace(/×$/, "")).join("   ");
  }

  /** @param {LegendEntry[]} entries */
  list(entries) {
    this.#entries.replaceChildren(...entries.map(({element}) => element));
  }

  /** @param {Bar | null} bar @param {Bar | null} before */
  showBar(bar, before) {
    this.#bar.style.visibility = bar ? "visible" : "hidden"; // keeps its height
    if (!bar) return;
    setText(this.#date, barTime(bar.start_ms, this.#interval, this.#zone));
    for (const {field, element} of this.#values) {
      const value = bar[field];
      setText(element,
        field === "volume" ? formatVolume(value) : formatPrice(value, this.#decimals));
    }
    const change = before ? bar.close - before.close : null;
    setText(this.#change, before ? formatPercent(bar.close / before.close - 1) : "");
    this.#change.dataset.direction = directionOf(change);
  }
}
