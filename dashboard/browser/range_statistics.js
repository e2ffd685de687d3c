/** What the bars in view tell: return, high and low, volume, volatility, drawdown. */

import {statistics} from "quotewire/chart/statistics.js";
import {h, setText} from "quotewire/dom.js";
import {NOTHING, directionOf, formatCount, formatPercent, formatPrice, formatVolume} from "quotewire/format.js";
import {mount} from "quotewire/live.js";
import {viewRange} from "quotewire/view_range.js";
import {barTime} from "quotewire/zone.js";

/** @typedef {import("./view_range.js").Shown} Shown */

const RETURN = "Last close against the first in view, as on the axis in percent";
const VOLATILITY = "Root of the sum of squared logarithmic returns from close to close (Andersen, "
  + "Bollerslev, Diebold and Labys 2003)";
const DRAWDOWN = "The largest fall of a close from the highest close before it";

/** @type {[string, string, string][]} name, words, title */
const FACTS = [
  ["change", "Return", RETURN],
  ["high", "High", "The highest price in view"],
  ["low", "Low", "The lowest price in view"],
  ["volume", "Average volume", "Of a bar in view"],
  ["volatility", "Volatility", VOLATILITY],
  ["drawdown", "Max drawdown", DRAWDOWN],
  ["bars", "Bars", "In view"],
];

/** @param {import("./panel.d.ts").ElementContext} context */
export function render(context) {
  return mount(context, (_, until) => new RangeStatistics(until).element);
}

class RangeStatistics {
  #range = h("p", {class: "range", "data-testid": "statistics-range"});
  #terms = new Map(FACTS.map(([name, words, title]) => [name, h("dt", {title}, words)]));
  #values = new Map(FACTS.map(([name]) => [name, h("dd", {"data-testid": `statistics-${name}`}, NOTHING)]));
  element = h("section", {class: "card", "aria-label": "Statistics of the bars in view", "data-testid": "statistics"},
    h("header", {class: "stacked"}, h("h2", {}, "In view"), this.#range),
    h("dl", {}, ...FACTS.map(([name]) =>
      h("div", {}, /** @type {Node} */ (this.#terms.get(name)), /** @type {Node} */ (this.#values.get(name))))));

  /** @param {(end: () => void) => void} until */
  constructor(until) {
    until(viewRange.on((shown) => this.#show(shown)));
  }

  /** @param {Shown | null} shown */
  #show(shown) {
    const found = shown && statistics(shown.bars);
    if (!shown || !found) {
      for (const value of this.#values.values()) setText(value, NOTHING);
      delete this.#value("change").dataset.direction;
      setText(this.#range, "");
      return;
    }
    const {bars, interval, decimals, zone} = shown;
    const time = (/** @type {import("./core/bars.js").Bar | undefined} */ bar) =>
      barTime(bar?.start_ms ?? 0, interval, zone).replace(/ [^ ]*$/, "");
    setText(this.#range, `${time(bars[0])} – ${time(bars.at(-1))}`);
    this.#set("change", formatPercent(found.change));
    this.#value("change").dataset.direction = directionOf(found.change);
    this.#set("high", formatPrice(found.high, decimals));
    this.#set("low", formatPrice(found.low, decimals));
    this.#set("volume", formatVolume(found.volume));
    this.#set("volatility", found.volatility === null ? NOTHING : unsigned(found.volatility));
    setText(/** @type {HTMLElement} */ (this.#terms.get("volatility")),
      found.yearly ? "Volatility, a year" : "Volatility, in view");
    this.#set("drawdown", unsigned(found.drawdown));
    this.#set("bars", formatCount(found.bars));
  }

  /** @param {string} name */
  #value(name) {
    return /** @type {HTMLElement} */ (this.#values.get(name));
  }

  /** @param {string} name @param {string} text */
  #set(name, text) {
    setText(this.#value(name), text);
  }
}

/** @param {number} ratio */
function unsigned(ratio) {
  return formatPercent(ratio).replace("+", "");
}
