/** The tools of a chart: indicators, other symbols, price lines, the measure, what to take along. */

import {readColours} from "quotewire/chart/colours.js";
import {CompareForm} from "quotewire/chart/compare_form.js";
import {IndicatorForm} from "quotewire/chart/indicator_form.js";
import {Measure} from "quotewire/chart/measure.js";
import {pictureOf} from "quotewire/chart/picture.js";
import {PriceLines} from "quotewire/chart/price_lines.js";
import {ExportMenu} from "quotewire/export_menu.js";
import {barExports} from "quotewire/exports/plan.js";
import {linkTo} from "quotewire/exports/link.js";

/**
 * @typedef {import("./toolbar.js").Tool} Tool
 *
 * @typedef {object} Around what the tools work on
 * @property {import("../address.js").Address} place
 * @property {import("../connection.js").Connection} connection
 * @property {import("./figure.js").ChartFigure} figure
 * @property {import("./indicator_catalog.js").IndicatorCatalog} catalog
 * @property {() => import("./picture.js").Words} words over a picture
 * @property {() => readonly string[]} computed indicators, as the feed names them
 */

export class Tools {
  #around;
  #lines;
  #measure;
  #compare;
  #indicators;
  #exports;
  /** The dialogs; to be put into the page. */
  elements;

  /** @param {Around} around */
  constructor(around) {
    this.#around = around;
    const {place, connection, figure, catalog} = around;
    this.#lines = new PriceLines(figure, place);
    this.#measure = new Measure(figure);
    const own = () => place.get("symbol") ?? "";
    this.#compare = new CompareForm({
      own, known: () => connection.symbols?.values() ?? [], room: figure.compared.room,
      chosen: () => place.get("compare"), choose: (compare) => place.set({compare}),
    });
    this.#indicators = new IndicatorForm(catalog, {
      symbol: own, specs: () => place.get("indicators"), choose: (indicators) => place.set({indicators}),
    });
    this.#exports = new ExportMenu(connection, {
      exports: () => this.#exported(), link: () => linkTo(place), picture: () => this.#picture(),
    });
    this.elements = [this.#compare.element, this.#indicators.element, this.#exports.element];
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
      {name: "export", label: "Export ▾", title: "Take along: a file, pandas code, a link, a picture",
        onUse: (button) => this.#exports.open(button)},
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

  /** No file is waited for any more, and nothing is drawn. */
  end() {
    this.#lines.end();
    this.#exports.end();
  }

  #exported() {
    const {place, connection, figure, computed} = this.#around;
    const info = connection.symbols?.get(place.get("symbol") ?? "");
    if (!info) return [];
    return barExports({
      feedUrl: connection.feedUrl, symbol: info.symbol, label: info.label, interval: place.get("interval"),
      indicators: computed(), bars: figure.view.bars, isLive: figure.viewport.following,
    });
  }

  async #picture() {
    const {figure, words, place} = this.#around;
    const blob = await pictureOf(figure.element, words(), readColours(figure.element));
    return {blob, name: `${place.get("symbol")}-${place.get("interval")}.png`};
  }
}
