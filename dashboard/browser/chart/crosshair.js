/** Where the pointer is: a line through all figures, one across its own, and what both say. */

import {h, setText} from "quotewire/dom.js";
import {barTime} from "quotewire/zone.js";

/**
 * @typedef {import("./figure.js").ChartFigure} ChartFigure
 * @typedef {{x: number, pane: "price" | "volume" | number, share: number}} Spot x of a bar; share of
 *   the pane's height above it
 */

export class Crosshair {
  #vertical = h("div", {class: "hair vertical", hidden: true});
  #horizontal = h("div", {class: "hair horizontal", hidden: true});
  #value = h("output", {class: "tag hover", hidden: true});
  #date = h("output", {class: "tag date", hidden: true, "data-testid": "crosshair-date"});
  #figure;
  #onMove;
  /** @type {{x: number, y: number | null} | null} in pixels of the figures */
  #at = null;
  #subject = {interval: "1d", zone: "UTC"};

  /** @param {ChartFigure} figure @param {() => void} onMove */
  constructor(figure, onMove) {
    this.#figure = figure;
    this.#onMove = onMove;
    const {element} = figure;
    element.append(this.#vertical, this.#horizontal, this.#value, this.#date);
    const point = (/** @type {PointerEvent} */ event) => this.#point(event);
    element.addEventListener("pointermove", point);
    element.addEventListener("pointerdown", point);
    // A finger leaves with each tap: what it pointed at stays, unless the page scrolls.
    element.addEventListener("pointerleave", ({pointerType}) => pointerType === "touch" || this.#move(null));
    element.addEventListener("pointercancel", () => this.#move(null));
    element.addEventListener("keydown", (event) => this.#key(event));
    element.addEventListener("focusout", ({relatedTarget}) =>
      element.contains(/** @type {Node | null} */ (relatedTarget)) || this.#move(null));
  }

  /** @param {{interval: string, zone: string}} subject */
  begin({interval, zone}) {
    this.#subject = {interval, zone};
  }

  /** The bar it is at, null where it is at none. */
  get bar() {
    return this.#at && this.#figure.bars.at(this.#x);
  }

  /** The x it is at, null where it is at none. */
  get x() {
    return this.#at && this.#x;
  }

  get #x() {
    const {viewport, width} = this.#figure;
    return Math.round(viewport.start + ((this.#at?.x ?? 0) / width) * (viewport.end - viewport.start));
  }

  /** Draw it again, for the view may have moved under it. */
  draw() {
    const bar = this.bar;
    for (const part of [this.#vertical, this.#date]) part.hidden = !bar;
    if (!bar || !this.#at) return this.#across(null);
    const {viewport, width, bars} = this.#figure;
    const {first, end} = bars.extent;
    const x = Math.max(first, Math.min(end - 1, this.#x));
    const px = ((x - viewport.start) / (viewport.end - viewport.start)) * width;
    this.#vertical.style.left = `${px}px`;
    setText(this.#date, barTime(bar.start_ms, this.#subject.interval, this.#subject.zone));
    const half = this.#date.offsetWidth / 2;
    this.#date.style.left = `${Math.max(half, Math.min(width - half, px))}px`;
    return this.#across(this.#at.y);
  }

  /** @param {number | null} y */
  #across(y) {
    const spot = y === null ? null : spotAt(this.#figure, y);
    this.#horizontal.hidden = this.#value.hidden = !spot;
    if (!spot || y === null) return;
    this.#horizontal.style.top = this.#value.style.top = `${y}px`;
    const axis = this.#figure.axis(spot.pane);
    setText(this.#value, axis.text(axis.priceAt(spot.share)));
  }

  /** @param {PointerEvent} event */
  #point({clientX, clientY}) {
    const {left, top} = this.#figure.element.getBoundingClientRect();
    const x = clientX - left;
    this.#move(x <= this.#figure.width ? {x, y: clientY - top} : null);
  }

  /** Bar by bar, as the arrows go; with Shift the view moves. @param {KeyboardEvent} event */
  #key(event) {
    const {viewport, width, bars} = this.#figure;
    const span = viewport.end - viewport.start;
    const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (step && event.shiftKey) {
      viewport.move(viewport.start + step * span * 0.2, viewport.end + step * span * 0.2);
    } else if (step) {
      const x = (this.x ?? bars.extent.end) + step;
      const inside = Math.max(Math.ceil(viewport.start), Math.min(Math.floor(viewport.end), x));
      this.#move({x: ((Math.min(inside, bars.extent.end - 1) - viewport.start) / span) * width, y: null});
    } else if (event.key === "+" || event.key === "-") {
      viewport.move(viewport.end - span * (event.key === "+" ? 0.8 : 1.25), viewport.end);
    } else if (event.key === "Escape" && this.#at) this.#move(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {{x: number, y: number | null} | null} at */
  #move(at) {
    this.#at = at;
    this.draw();
    this.#onMove();
  }
}

/**
 * Which figure is at a height, and where in it.
 *
 * @param {ChartFigure} figure
 * @param {number} y in pixels of the figures
 * @returns {{pane: "price" | "volume" | number, share: number} | null}
 */
export function spotAt(figure, y) {
  const {price, volume} = figure.elements;
  /** @type {["price" | "volume" | number, HTMLElement][]} */
  const all = [["price", price], ["volume", volume], ...figure.panes.all.map(({element}, i) =>
    /** @type {[number, HTMLElement]} */ ([i, element]))];
  for (const [pane, element] of all) {
    const {offsetTop, offsetHeight, hidden} = element;
    if (hidden || y < offsetTop || y >= offsetTop + offsetHeight) continue;
    return {pane, share: (y - offsetTop) / offsetHeight};
  }
  return null;
}
