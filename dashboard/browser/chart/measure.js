/** The measure tool: drag over the prices, and read what lies between. */

import {measured, spanText} from "quotewire/chart/measured.js";
import {press} from "quotewire/chart/toolbar.js";
import {h, setText} from "quotewire/dom.js";
import {directionOf, formatChange, formatPercent} from "quotewire/format.js";

/** @typedef {import("./measured.js").Spot} Spot */

export class Measure {
  #figure;
  #decimals = 2;
  /** @type {HTMLElement | null} */
  #button = null;
  /** @type {{from: Spot, to: Spot} | null} */
  #between = null;
  #box = h("div", {class: "measure-box", hidden: true});
  #words = h("output", {class: "measure-words", hidden: true, "data-testid": "measured"});
  #layer = h("div", {
    class: "measure", hidden: true, "data-testid": "measure-layer",
    onpointerdown: (event) => this.#begin(event), ondblclick: (event) => event.stopPropagation(),
  }, this.#box, this.#words);

  /** @param {import("./figure.js").ChartFigure} figure */
  constructor(figure) {
    this.#figure = figure;
    figure.elements.price.append(this.#layer);
    figure.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.#layer.hidden) return;
      event.stopImmediatePropagation();
      this.#switch(false);
    });
  }

  /** @param {number} decimals */
  begin(decimals) {
    this.#decimals = decimals;
    this.#between = null;
    this.draw();
  }

  /** On or off. @param {HTMLElement} button that tells which */
  toggle(button) {
    this.#button = button;
    this.#switch(Boolean(this.#layer.hidden));
    if (!this.#layer.hidden) this.#figure.element.focus();
  }

  /** @param {boolean} on */
  #switch(on) {
    this.#layer.hidden = !on;
    if (this.#button) press(this.#button, on);
    if (!on) this.#between = null;
    this.draw();
  }

  /** @param {PointerEvent} event */
  #begin(event) {
    event.preventDefault();
    event.stopPropagation();
    const from = this.#spot(event);
    this.#between = null;
    this.draw();
    this.#layer.setPointerCapture(event.pointerId);
    const ended = new AbortController();
    const {signal} = ended;
    this.#layer.addEventListener("pointermove", (moved) => {
      this.#between = {from, to: this.#spot(moved)};
      this.draw();
    }, {signal});
    for (const name of ["pointerup", "pointercancel"]) {
      this.#layer.addEventListener(name, () => ended.abort(), {signal});
    }
  }

  /** @param {PointerEvent} event @returns {Spot} */
  #spot({clientX, clientY}) {
    const {viewport, bars, width} = this.#figure;
    const {left, top, height} = this.#layer.getBoundingClientRect();
    const {first, end} = bars.extent;
    const along = viewport.start + ((clientX - left) / width) * (viewport.end - viewport.start);
    const x = Math.max(first, Math.min(end - 1, Math.round(along)));
    const price = this.#figure.axis("price").priceAt(Math.max(0, Math.min(1, (clientY - top) / height)));
    return {x, price, start_ms: bars.at(x)?.start_ms ?? 0};
  }

  /** Where its bar is now: older ones may have come before it. @param {Spot} spot @returns {Spot | null} */
  #now(spot) {
    const x = this.#figure.bars.xOf(spot.start_ms);
    return x === null ? null : {...spot, x};
  }

  /** Draw it where its prices and bars are now. */
  draw() {
    const between = this.#between;
    const from = between && this.#now(between.from);
    const to = between && this.#now(between.to);
    this.#box.hidden = this.#words.hidden = !from || !to;
    if (!from || !to) return;
    const {viewport, width} = this.#figure;
    const axis = this.#figure.axis("price");
    const across = ({x = 0}) => ((x - viewport.start) / (viewport.end - viewport.start)) * width;
    const [left, right] = [across(from), across(to)].sort((a, b) => a - b);
    const [top, bottom] = [axis.share(from.price), axis.share(to.price)].sort((a, b) => a - b);
    Object.assign(this.#box.style, {
      left: `${left}px`, width: `${right - left}px`, top: `${top * 100}%`, height: `${(bottom - top) * 100}%`,
    });
    const {change, ratio, bars, span_ms} = measured(from, to);
    this.#box.dataset.direction = this.#words.dataset.direction = directionOf(change);
    setText(this.#words, [
      formatChange(change, this.#decimals), formatPercent(ratio), `${bars} bars`, spanText(span_ms),
    ].join(" · "));
    this.#words.style.left = `${Math.max(4, Math.min(width - this.#words.offsetWidth - 4, left))}px`;
    this.#words.style.top = `clamp(2px, calc(${(bottom * 100).toFixed(2)}% + 6px), calc(100% - 28px))`;
  }
}
