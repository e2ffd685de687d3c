/** The candles and volumes: Bokeh figures made in Python, kept moving here. */

import {h, setText} from "quotewire/dom.js";
import {formatPrice} from "quotewire/format.js";
import {Viewport} from "quotewire/viewport.js";

const COLOURS = {
  dark: {up: "#40a9ff", down: "#ff9f40", card: "#161c27", text: "#8b97ab"},
  light: {up: "#1f7fd6", down: "#e8800f", card: "#ffffff", text: "#5f6b7d"},
};
/** @type {import("./panel.d.ts").Here} */
const HERE = {sync: false};

export class CandleFigure {
  /** @type {Viewport} */
  viewport;
  /** The last price on the axis; to be laid over the price figure. */
  tag = h("output", {class: "tag", hidden: true, "data-testid": "price-tag"});
  /** @type {number | null} */
  #last = null;
  /** @type {import("./viewport.js").Axes & Record<string, import("./panel.d.ts").Model>} */
  #parts;
  #bars;
  #onHover;
  /** @type {number | null} */
  #hovered = null;
  #decimals = 2;

  /**
   * @param {import("./panel.d.ts").ElementModel} model of the element: its figures, and their
   *   parts by name
   * @param {import("./bar_source.js").BarSource} bars
   * @param {object} handlers
   * @param {() => number} handlers.width of the figures, in pixels
   * @param {() => void} handlers.onMoved the view may have left the newest bars, or come back
   * @param {(x: number | null) => void} handlers.onHover where the pointer is
   */
  constructor(model, bars, {width, onMoved, onHover}) {
    this.#parts = model.parts instanceof Map ? Object.fromEntries(model.parts) : model.parts;
    this.#bars = bars;
    this.#onHover = onHover;
    this.viewport = new Viewport(this.#parts, bars, width, () => {
      this.#placeTag();
      onMoved();
    });
    for (const part of Object.values(this.#parts)) keepHere(part);
    /** @type {import("./panel.d.ts").Figure[]} */
    const figures = [model.price, model.volume];
    for (const figure of figures) {
      figure.on_event("mousemove", ({x}) => this.#hover(x));
      figure.on_event("mouseleave", () => this.#hover(null));
    }
  }

  /** @returns {() => void} ends it */
  watch() {
    const {x_range} = this.#parts;
    const moved = () => this.viewport.moved();
    x_range.change.connect(moved);
    return () => x_range.change.disconnect(moved);
  }

  /** @param {number} decimals of the instrument */
  begin(decimals) {
    this.#decimals = decimals;
    const format = decimals ? `0,0.${"0".repeat(decimals)}` : "0,0";
    this.#parts.price_format.setv({format}, HERE);
    // No finer than a price can be: labels would repeat.
    this.#parts.price_ticker.setv({min_interval: 10 ** -decimals}, HERE);
    this.#last = null;
    this.#parts.last_line.setv({visible: false}, HERE);
    this.#placeTag();
  }

  /** @param {readonly import("./core/bars.js").Bar[]} bars */
  draw(bars) {
    const by = this.#bars.draw(bars);
    if (by === null) this.viewport.home();
    else this.viewport.renumbered(by);
    this.#onHover(this.#hovered);
  }

  /** @param {readonly import("./core/bars.js").Bar[]} bars @param {number} since_ms */
  update(bars, since_ms) {
    this.#bars.update(bars, since_ms);
    this.viewport.barsChanged();
    this.#onHover(this.#hovered);
  }

  /** @param {number} price of the last trade */
  showLast(price) {
    this.#last = price;
    this.#parts.last_line.setv({location: price, visible: true}, HERE);
    this.#placeTag();
  }

  /** The figure's surface is themed by the page; up and down are ours. @param {boolean} dark */
  paint(dark) {
    const colours = COLOURS[dark ? "dark" : "light"];
    const {outline, body, volume_bars, last_line, crosshair, level} = this.#parts;
    outline.setv({palette: [colours.up, colours.down]}, HERE);
    volume_bars.setv({palette: [colours.up, colours.down]}, HERE);
    // Up is hollow: filled with the card's colour, so that the wick does not show through.
    body.setv({palette: [colours.card, colours.down]}, HERE);
    last_line.setv({line_color: colours.up}, HERE);
    crosshair.setv({line_color: colours.text}, HERE);
    level.setv({line_color: colours.text}, HERE);
  }

  /** The frame is as high as the figure, so a share of the range is a share of the height. */
  #placeTag() {
    const {start, end} = this.#parts.price_range;
    const share = this.#last === null ? -1 : (end - this.#last) / (end - start);
    this.tag.hidden = share < 0 || share > 1;
    this.tag.style.top = `${(share * 100).toFixed(2)}%`;
    setText(this.tag, formatPrice(this.#last, this.#decimals));
  }

  /** @param {number | null} x */
  #hover(x) {
    this.#hovered = x;
    this.#onHover(x);
  }
}

/**
 * The view is the browser's own: without this Bokeh would tell Python of each pan.
 *
 * @param {import("./panel.d.ts").Model} model
 */
function keepHere(model) {
  Object.defineProperty(model, "is_syncable", {value: false, configurable: true});
}
