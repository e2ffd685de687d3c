/**
 * The heat map: a tile for each symbol, as large as what is traded of it, coloured by its change.
 * Colours move at once; tiles are laid out anew now and then only.
 */

import {address} from "quotewire/address.js";
import {h, setText} from "quotewire/dom.js";
import {changeOf, directionOf, formatCount, formatPercent, formatPrice, NOTHING} from "quotewire/format.js";
import {turnoverOf} from "quotewire/market/columns.js";
import {heatLegend, heatOf, heatScale} from "quotewire/market/heat.js";
import {steadyOrder, treemap} from "quotewire/market/treemap.js";

/** @typedef {import("./columns.js").Row} Row */
/** @typedef {{element: HTMLElement, percent: HTMLElement, last: HTMLElement, colour: Colour}} Tile */

/** Of smaller tiles nobody could read anything. */
const MOST = 400;
const LAYOUT_MS = 4000;
const GAP_PX = 2;
/** Of a tile's tone in its ground; with more, its text could not be read. */
const DEEPEST_PERCENT = 45;
const STEPS = new Map([["ArrowRight", 1], ["ArrowDown", 1], ["ArrowLeft", -1], ["ArrowUp", -1]]);

export class HeatMap {
  /** @type {Map<string, Row>} */
  #rows = new Map();
  /** @type {string[]} the largest first */
  #order = [];
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  /** The change that has the full colour, in percent; null before the first layout. @type {number | null} */
  #scale = null;
  #laid_ms = -Infinity;
  #map = h("div", {
    class: "tiles", role: "group", "aria-label": "Heat map", "data-testid": "heat-map",
    onkeydown: (/** @type {KeyboardEvent} */ event) => this.#pressed(event),
  });
  #legend = h("ol", {class: "legend", "aria-label": "Change on the day", "data-testid": "heat-legend"});
  #note = h("span", {class: "muted"});
  element = h("div", {class: "heat"}, this.#map, h("footer", {}, this.#note, this.#legend));

  /** @param {(end: () => void) => void} until */
  constructor(until) {
    until(address.on("size", () => this.#layout()));
    const sizes = new ResizeObserver(() => this.#layout());
    sizes.observe(this.#map);
    until(() => sizes.disconnect());
  }

  /** Symbols of the tiles that are in the page. */
  get inView() {
    return [...this.#tiles.keys()];
  }

  /** @param {readonly Row[]} rows */
  show(rows) {
    this.#rows = new Map(rows.map((row) => [row.info.symbol, row]));
    this.#layout();
  }

  /** @param {ReadonlySet<string>} symbols that have changed */
  take(symbols) {
    if (this.#laid_ms === -Infinity) this.#layout();
    for (const symbol of symbols) this.#paint(symbol);
  }

  tick() {
    if (performance.now() - this.#laid_ms >= LAYOUT_MS) this.#layout();
    for (const [symbol, {element}] of this.#tiles) {
      element.toggleAttribute("data-stale", this.#rows.get(symbol)?.isStale ?? false);
    }
  }

  #layout() {
    const {clientWidth: width, clientHeight: height} = this.#map;
    if (!width || !height) return;
    const quoted = [...this.#rows.values()].filter(({quote}) => quote !== null);
    const {values, words} = areas(quoted);
    this.#order = steadyOrder(this.#order, values).slice(0, MOST);
    const rects = treemap(this.#order.map((symbol) => values.get(symbol) ?? 0), {x: 0, y: 0, width, height});
    this.#laid_ms = quoted.length ? performance.now() : -Infinity;
    this.#place(rects);
    this.#weigh(quoted);
    setText(this.#note, [words, ...this.#missing(quoted.length)].join(" · "));
  }

  /** Why symbols have no tile. @param {number} quoted how many have a price */
  #missing(quoted) {
    const [crowded, waiting] = [quoted - this.#order.length, this.#rows.size - quoted];
    return [
      ...(crowded ? [`${formatCount(crowded)} more have no room`] : []),
      ...(waiting ? [`${formatCount(waiting)} have no price yet`] : []),
    ];
  }

  /** @param {import("./treemap.js").Rect[]} rects */
  #place(rects) {
    const before = this.#tiles;
    this.#tiles = new Map();
    const focusable = before.size ? this.#map.querySelector("[tabindex='0']")?.getAttribute("data-symbol") : null;
    this.#order.forEach((symbol, at) => {
      const tile = before.get(symbol) ?? this.#tile(symbol);
      const {x, y, width, height} = rects[at];
      Object.assign(tile.element.style, {
        left: `${x.toFixed(1)}px`, top: `${y.toFixed(1)}px`,
        width: `${Math.max(0, width - GAP_PX).toFixed(1)}px`, height: `${Math.max(0, height - GAP_PX).toFixed(1)}px`,
      });
      tile.element.dataset.room = roomOf(symbol, width, height);
      this.#tiles.set(symbol, tile);
      before.delete(symbol);
      if (!tile.element.isConnected) this.#map.append(tile.element);
    });
    for (const {element} of before.values()) element.remove();
    this.#focusable(focusable && this.#tiles.has(focusable) ? focusable : this.#order[0]);
  }

  /** @param {Row[]} quoted */
  #weigh(quoted) {
    const ratios = quoted.flatMap(({quote}) => (quote && changeOf(quote).ratio) ?? []);
    const scale = heatScale(ratios, this.#scale);
    if (scale !== this.#scale) {
      this.#scale = scale;
      this.#legend.replaceChildren(...heatLegend(scale).map((percent) => {
        const item = h("li", {}, formatPercent(Number((percent / 100).toPrecision(2))));
        new Colour(item).show(percent / 100, scale);
        return item;
      }));
    }
    for (const symbol of this.#order) this.#paint(symbol);
  }

  /** @param {string} symbol @returns {Tile} */
  #tile(symbol) {
    const percent = h("span");
    const last = h("small");
    const element = h("button", {
      type: "button", class: "tile", tabindex: "-1", "data-symbol": symbol, "data-testid": `tile-${symbol}`,
      onclick: () => address.set({page: "symbol", symbol}, {push: true}),
    }, h("b", {}, symbol), percent, last);
    return {element, percent, last, colour: new Colour(element)};
  }

  /** @param {string} symbol */
  #paint(symbol) {
    const tile = this.#tiles.get(symbol);
    const row = this.#rows.get(symbol);
    if (!tile || !row?.quote || this.#scale === null) return;
    const {ratio} = changeOf(row.quote);
    const percent = formatPercent(ratio);
    setText(tile.percent, percent);
    tile.colour.show(ratio, this.#scale);
    const last = formatPrice(row.quote.last, row.info.decimals);
    setText(tile.last, last);
    const title = `${symbol} · ${row.info.name} · ${last} · ${percent === NOTHING ? "change unknown" : percent}`;
    if (tile.element.title !== title) tile.element.title = title;
    tile.element.toggleAttribute("data-stale", row.isStale);
  }

  /** @param {string | undefined} symbol the one that the Tab key reaches */
  #focusable(symbol) {
    for (const [name, {element}] of this.#tiles) element.tabIndex = name === symbol ? 0 : -1;
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const at = [...this.#order].findIndex((symbol) => this.#tiles.get(symbol)?.element === event.target);
    const step = STEPS.get(event.key);
    const to = event.key === "Home" ? 0 : event.key === "End" ? this.#order.length - 1 : at + (step ?? 0);
    if (at < 0 || to === at || !this.#order[to]) return;
    event.preventDefault();
    this.#focusable(this.#order[to]);
    this.#tiles.get(this.#order[to])?.element.focus();
  }
}

/** The ground of a tile, written only where it differs: by its change, and by what is a large one. */
class Colour {
  #element;
  #direction = "";
  #heat = -1;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
  }

  /** @param {number | null} ratio @param {number} scale in percent */
  show(ratio, scale) {
    const [direction, heat] = [directionOf(ratio), heatOf(ratio, scale)];
    if (direction === this.#direction && heat === this.#heat) return;
    this.#direction = direction;
    this.#heat = heat;
    this.#element.dataset.direction = direction;
    this.#element.style.setProperty("--heat", `${heat * DEEPEST_PERCENT}%`);
  }
}

/**
 * What tiles are as large as, by symbol: where nothing was traded yet, all are alike.
 *
 * @param {Row[]} quoted
 * @returns {{values: Map<string, number>, words: string}}
 */
function areas(quoted) {
  const traded = new Map(quoted.map(({info, quote}) => [info.symbol, quote ? turnoverOf(quote) : 0]));
  const equal = new Map(quoted.map(({info}) => [info.symbol, 1]));
  if (address.get("size") === "equal") return {values: equal, words: "All tiles are equal"};
  if ([...traded.values()].some((value) => value > 0)) return {values: traded, words: "Area: price × volume of the session"};
  return {values: equal, words: quoted.length ? "Nothing was traded yet: all tiles are equal" : "Waiting for prices …"};
}

/** How much can be read in a tile. @param {string} symbol @param {number} width @param {number} height */
function roomOf(symbol, width, height) {
  const needs = symbol.length * 8 + 10;
  if (width >= Math.max(76, needs) && height >= 58) return "all";
  if (width >= Math.max(56, needs) && height >= 36) return "percent";
  return width >= Math.min(needs, 46) && height >= 18 ? "symbol" : "none";
}
