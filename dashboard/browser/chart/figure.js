/** The figures of a chart, one above the other: made in Python, kept moving here. */

import {BarTable} from "quotewire/chart/bar_table.js";
import {ComparedLines} from "quotewire/chart/compared_lines.js";
import {DateStrip} from "quotewire/chart/date_strip.js";
import {DrawnBars} from "quotewire/chart/drawn_bars.js";
import {IndicatorLines} from "quotewire/chart/indicator_lines.js";
import {IndicatorPanes} from "quotewire/chart/indicator_panes.js";
import {directionOf, dress} from "quotewire/chart/looks.js";
import {plain} from "quotewire/chart/plain.js";
import {PriceAxis} from "quotewire/chart/price_axis.js";
import {Supply} from "quotewire/chart/supply.js";
import {Touch} from "quotewire/chart/touch.js";
import {Viewport} from "quotewire/chart/viewport.js";
import {h} from "quotewire/dom.js";
import {formatVolume} from "quotewire/format.js";

const PER_TICK_PX = 52;
const LETTER_PX = 7;
const AXIS = {least: 56, padding: 16, step: 8};
/** @type {import("../panel.d.ts").Here} */
const HERE = {sync: false};

/**
 * @typedef {import("../core/bars.js").Bar} Bar
 * @typedef {import("../panel.d.ts").Model} Model
 * @typedef {import("./looks.js").Kind} Kind
 * @typedef {import("./colours.js").Colours} Colours
 * @typedef {{bars: readonly Bar[], first: number}} View the bars in view, and the x of the first one
 * @typedef {{decimals: number, interval: string, zone: string}} Subject
 */

export class ChartFigure {
  /** Width of the axes in pixels. */
  axisWidth = 0;
  /** @type {Viewport} */
  viewport;
  /** @type {DrawnBars} */
  bars;
  dates = new DateStrip();
  #parts;
  #onView;
  #onMore;
  #axes;
  /** @type {Subject} */
  #subject = {decimals: 2, interval: "1d", zone: "UTC"};
  /** @type {Kind} */
  #kind = "hollow";
  /** @type {"linear" | "log" | "percent"} */
  #scale = "linear";
  #fitting = false;
  #touch;

  /**
   * @param {Pick<import("../panel.d.ts").ElementContext, "model" | "view">} context of the element
   * @param {object} handlers
   * @param {(view: View) => void} handlers.onView other bars are in view, or the same moved
   * @param {() => void} handlers.onMoved the user moved the view
   * @param {() => void} handlers.onMore there is more to draw indicators and other symbols with
   */
  constructor({model, view}, {onView, onMoved, onMore}) {
    this.supply = new Supply(model);
    this.#parts = plain(model.parts);
    keepHere(this.#parts);
    this.#onView = onView;
    this.#onMore = onMore;
    const {price, volume} = this.#parts;
    this.overlays = new IndicatorLines(model.overlays);
    this.compared = new ComparedLines(model.compared, this.supply.room.compared);
    this.#equip();
    this.bars = new DrawnBars([
      new BarTable(model.source, COLUMNS), this.overlays.table, this.compared.table,
    ]);
    this.#axes = {price: new PriceAxis(price), volume: new PriceAxis(volume)};
    this.panes = new IndicatorPanes({model, view}, this.supply, (pane) => this.#take(pane));
    this.viewport = new Viewport(this.#parts.x_range, this.bars,
      {width: () => this.width, onView: () => this.requestFit(), onMoved});
    this.elements = {
      price: h("div", {class: "pane price"}, model.get_child("price")),
      volume: h("div", {class: "pane volume"}, model.get_child("volume")),
    };
    this.#touch = new Touch(Object.values(this.elements));
    this.element = h("div", {class: "panes"},
      this.elements.price, this.elements.volume, this.dates.element);
  }

  /** Draw with what there is by now. */
  #equip() {
    const {made} = this.supply;
    keepHere(made);
    this.overlays.equip({line: made.lines, dots: made.dots, columns: []});
    this.compared.equip(made.compared, made.compared_ranges);
  }

  /** One more figure, under the others. @param {import("./indicator_panes.js").Pane} pane */
  #take({element, lines, parts}) {
    if (this.axisWidth) parts.plot.setv({min_border_right: this.axisWidth}, HERE);
    this.bars.add(lines.table);
    this.#touch.add(element);
    this.dates.element.before(element);
  }

  /** Of the frame, without the axes, in pixels. */
  get width() {
    return Math.max(1, this.element.clientWidth - this.axisWidth);
  }

  /** @param {"price" | "volume" | number} pane a number: an indicator's @returns {PriceAxis} */
  axis(pane) {
    return typeof pane === "number" ? this.panes.all[pane].axis : this.#axes[pane];
  }

  /** @returns {() => void} ends it */
  watch() {
    const {x_range} = this.#parts;
    const moved = () => this.viewport.moved();
    x_range.change.connect(moved);
    const resized = new ResizeObserver(() => this.requestFit());
    resized.observe(this.element);
    const ends = [
      this.panes.follow(this.#onMore),
      this.supply.follow(() => {
        this.#equip();
        this.#onMore();
      }),
    ];
    return () => {
      for (const end of ends) end();
      x_range.change.disconnect(moved);
      resized.disconnect();
    };
  }

  /** Another symbol's bars, or others of the same, come. @param {Subject} subject */
  begin(subject) {
    this.#subject = subject;
    this.axisWidth = 0;
    this.bars.clear();
  }

  /** @param {string} zone times are told in from now on */
  tellIn(zone) {
    this.#subject = {...this.#subject, zone};
    this.requestFit();
  }

  /** @param {readonly Bar[]} bars @returns {boolean} whether it is the first time */
  draw(bars) {
    const by = this.bars.draw(bars);
    if (by === null) this.viewport.home();
    else this.viewport.renumbered(by);
    return by === null;
  }

  /** @param {readonly Bar[]} bars @param {number} since_ms */
  update(bars, since_ms) {
    this.bars.update(bars, since_ms);
    this.viewport.barsChanged();
  }

  /** @param {Kind} kind @param {Colours} colours */
  dress(kind, colours) {
    this.#kind = kind;
    const {price, volume} = this.#parts;
    dress(price, volume.fill, kind, colours);
    for (const {axis, grid} of [price, volume, ...this.panes.all.map(({parts}) => parts)]) {
      axis.setv({major_label_text_color: colours.muted}, HERE);
      grid.setv({grid_line_color: colours.line}, HERE);
    }
    price.base.setv({line_color: colours.muted, line_alpha: 0.5}, HERE);
    this.overlays.paint(colours.series);
    for (const {lines} of this.panes.all) lines.paint(colours.series);
  }

  /** @param {"linear" | "log" | "percent"} scale */
  set scale(scale) {
    this.#scale = scale;
    this.requestFit();
  }

  get kind() {
    return this.#kind;
  }

  /** Fit the axes to what is in view: once, however much has changed by now. */
  requestFit() {
    if (this.#fitting) return;
    this.#fitting = true;
    queueMicrotask(() => {
      this.#fitting = false;
      this.#fit();
    });
  }

  /** @returns {View} */
  get view() {
    return this.bars.between(this.viewport.start, this.viewport.end);
  }

  #fit() {
    const {view} = this;
    const {bars, first} = view;
    if (!bars.length || !this.element.clientWidth) return;
    this.#touch.scroll();
    this.bars.look(this.viewport.start, this.viewport.end);
    this.#fitPrice(bars);
    this.#fitVolume(bars);
    this.#fitPanes(bars);
    this.#fitAxisWidth();
    const {start, end} = this.viewport;
    this.dates.draw(bars, first, {start, end, width: this.width, ...this.#subject});
    this.#onView(view);
  }

  /** @param {readonly Bar[]} bars */
  #fitPrice(bars) {
    const closes = this.#kind === "line" || this.#kind === "area";
    let [low, high] = [Infinity, -Infinity];
    for (const bar of bars) {
      low = Math.min(low, closes ? bar.close : bar.low);
      high = Math.max(high, closes ? bar.close : bar.high);
    }
    const [lines, others] = [this.overlays.extent(bars), this.compared.extent(bars)];
    const base = bars[0].close;
    this.#axes.price.fit(Math.min(low, lines[0], others[0]), Math.max(high, lines[1], others[1]), {
      scale: this.#scale, base, decimals: this.#subject.decimals, ...roomIn(this.elements.price),
    });
    this.compared.rebase(this.#axes.price.range);
    this.#parts.price.base.setv({location: base, visible: this.#scale === "percent"}, HERE);
  }

  /** @param {readonly Bar[]} bars */
  #fitVolume(bars) {
    const most = Math.max(...bars.map(({volume}) => volume));
    const room = {...roomIn(this.elements.volume), most: 2};
    this.#axes.volume.fit(0, most, {fromZero: true, decimals: 8, format: volumeLabel, ...room});
  }

  /** @param {readonly Bar[]} bars */
  #fitPanes(bars) {
    for (const {lines, axis, element} of this.panes.all) {
      const [low, high] = lines.extent(bars);
      if (!lines.lines.length || !(high >= low)) continue;
      const digits = digitsFor(high - low || Math.abs(high) || 1);
      axis.fit(low, high, {decimals: digits, ...roomIn(element), most: 3});
    }
  }

  /** All figures have axes of one width, so that their bars stand above each other. */
  #fitAxisWidth() {
    const {price, volume} = this.#axes;
    const panes = this.panes.all;
    const tag = price.text(this.bars.at()?.close ?? 0);
    const letters = Math.max(tag.length, ...[price, volume, ...panes.map(({axis}) => axis)].map(({widest}) => widest));
    const wanted = Math.max(AXIS.least, letters * LETTER_PX + AXIS.padding);
    const width = Math.ceil(wanted / AXIS.step) * AXIS.step;
    if (width <= this.axisWidth) return;
    this.axisWidth = width;
    for (const {plot} of [this.#parts.price, this.#parts.volume, ...panes.map(({parts}) => parts)]) {
      plot.setv({min_border_right: width}, HERE);
    }
    this.element.style.setProperty("--axis", `${width}px`);
  }
}

/** @type {Record<string, import("./bar_table.js").Column>} */
const COLUMNS = {
  open: ({open}) => open,
  high: ({high}) => high,
  low: ({low}) => low,
  close: ({close}) => close,
  volume: ({volume}) => volume,
  direction: directionOf,
};

/** The bottom needs no 0. @param {number} value */
function volumeLabel(value) {
  return value > 0 ? formatVolume(value) : "";
}

/** Three digits of a span tell enough. @param {number} span */
function digitsFor(span) {
  return Math.max(0, Math.min(10, 2 - Math.floor(Math.log10(span))));
}

/** @param {HTMLElement} element */
function roomIn({clientHeight}) {
  return {height: clientHeight, most: Math.max(2, Math.floor(clientHeight / PER_TICK_PX))};
}

/** The view is the browser's own: without this Bokeh would tell Python of each pan. @param {any} part */
function keepHere(part) {
  if (Array.isArray(part)) part.forEach(keepHere);
  else if (part.constructor === Object) Object.values(part).forEach(keepHere);
  else {
    Object.defineProperty(part, "is_syncable", {value: false, configurable: true});
    if (part.glyph) keepHere(part.glyph);
  }
}
