/** The tools of a chart: indicators, other symbols, price lines, the measure, a picture. */

import {readColours} from "quotewire/chart/colours.js";
import {CompareForm} from "quotewire/chart/compare_form.js";
import {IndicatorForm} from "quotewire/chart/indicator_form.js";
import {Measure} from "quotewire/chart/measure.js";
import {pictureOf} from "quotewire/chart/picture.js";
import {PriceLines} from "quotewire/chart/price_lines.js";
import {h} from "quotewire/dom.js";
import {toast} from "quotewire/toasts.js";

/**
 * @typedef {import("./toolbar.js").Tool} Tool
 *
 * @typedef {object} Around what the tools work on
 * @property {import("../address.js").Address} place
 * @property {import("../connection.js").Connection} connection
 * @property {import("./figure.js").ChartFigure} figure
 * @property {import("./indicator_catalog.js").IndicatorCatalog} catalog
 * @property {() => import("./picture.js").Words} words over a picture
 */

export class Tools {
  #around;
  #lines;
  #measure;
  #compare;
  #indicators;
  /** The dialogs; to be put into the page. */
  elements;

  /** @param {Around} around */
  constructor(around) {
    this.#around = around;
    const {place, connection, figure, catalog} = around;
    this.#lines = new PriceLines(figure);
    this.#measure = new Measure(figure);
    const own = () => place.get("symbol") ?? "";
    this.#compare = new CompareForm({
      own, known: () => connection.symbols?.values() ?? [], room: figure.compared.room,
      chosen: () => place.get("compare"), choose: (compare) => place.set({compare}),
    });
    this.#indicators = new IndicatorForm(catalog, {
      symbol: own, specs: () => place.get("indicators"), choose: (indicators) => place.set({indicators}),
    });
    this.elements = [this.#compare.element, this.#indicators.element];
  }

  /** @returns {Tool[]} for the toolbar */
  get list() {
    return [
      {name: "add-indicator", label: "Indicators", title: "Add, set and remove indicators",
        onUse: (button) => this.#indicators.open(button)},
      {name: "add-compare", label: "Compare", title: "Compare with other symbols, in percent",
        onUse: (button) => this.#compare.open(button)},
      {name: "add-line", label: "Line", title: "Add a horizontal price line; a double-click adds one, too",
        onUse: () => this.#lines.add()},
      {name: "measure", label: "Measure", title: "Drag over the prices to measure; Esc ends it",
        onUse: (button) => this.#measure.toggle(button)},
      {name: "picture", label: "PNG", title: "Save the chart as a picture", onUse: () => this.#save()},
    ];
  }

  /** @param {string} symbol @param {number} decimals */
  begin(symbol, decimals) {
    this.#lines.begin(symbol, decimals);
    this.#measure.begin(decimals);
  }

  /** The view may have moved under them. */
  draw() {
    this.#lines.draw();
    this.#measure.draw();
  }

  /** @param {string} spec of an indicator @param {HTMLElement} button below which it is set */
  edit(spec, button) {
    this.#indicators.openAt(spec, button);
  }

  /** The chart as a PNG. @returns {Promise<Blob>} */
  picture() {
    const {figure, words} = this.#around;
    return pictureOf(figure.element, words(), readColours(figure.element));
  }

  async #save() {
    const {place} = this.#around;
    try {
      const address = URL.createObjectURL(await this.picture());
      h("a", {href: address, download: `${place.get("symbol")}-${place.get("interval")}.png`}).click();
      setTimeout(() => URL.revokeObjectURL(address), 1000);
    } catch (error) {
      toast(`There is no picture: ${error instanceof Error ? error.message : error}`, {tone: "warn"});
    }
  }
}
