/** Horizontal lines at prices the user chose: drawn over the chart, moved by dragging or by keys. */

import {keepLines, linesOf} from "quotewire/chart/line_store.js";
import {h, setText} from "quotewire/dom.js";

/**
 * @typedef {import("./figure.js").ChartFigure} ChartFigure
 * @typedef {{price: number, element: HTMLElement, tag: HTMLElement}} Line
 */

export class PriceLines {
  #figure;
  #symbol = "";
  #decimals = 2;
  /** @type {Line[]} */
  #lines = [];

  /** @param {ChartFigure} figure */
  constructor(figure) {
    this.#figure = figure;
    figure.elements.price.addEventListener("dblclick", (event) => this.#at(event));
  }

  /** @returns {number[]} */
  get prices() {
    return this.#lines.map(({price}) => price);
  }

  /** @param {string} symbol @param {number} decimals */
  begin(symbol, decimals) {
    this.#symbol = symbol;
    this.#decimals = decimals;
    for (const {element} of this.#lines.splice(0)) element.remove();
    for (const price of linesOf(symbol)) this.#draw(price);
    this.draw();
  }

  /** Add one in the middle of what is in view, or at a price. @param {number} [price] */
  add(price = this.#figure.axis("price").priceAt(0.5)) {
    if (!this.#symbol || !Number.isFinite(price)) return;
    const line = this.#draw(this.#rounded(price));
    this.#keep();
    this.draw();
    line.element.focus();
  }

  /** Draw them where their prices are now. */
  draw() {
    const axis = this.#figure.axis("price");
    for (const {price, element, tag} of this.#lines) {
      const share = axis.share(price);
      element.hidden = !(share >= 0 && share <= 1);
      element.style.top = `${(share * 100).toFixed(2)}%`;
      const text = axis.text(price);
      setText(tag, text);
      element.setAttribute("aria-valuenow", String(price));
      element.setAttribute("aria-valuetext", text);
    }
  }

  /** @param {number} price @returns {Line} */
  #draw(price) {
    const tag = h("span", {class: "tag"});
    const remove = h("button", {
      type: "button", class: "remove", title: "Remove the line", "aria-label": "Remove the line",
      onclick: () => this.#remove(line), ondblclick: (event) => event.stopPropagation(),
    }, "×");
    const element = h("div", {
      class: "price-line", role: "slider", tabindex: "0", "aria-orientation": "vertical",
      "aria-label": "Price line. Up and down move it, Delete removes it.", "data-testid": "price-line",
      onkeydown: (event) => this.#key(event, line), onpointerdown: (event) => this.#drag(event, line),
    }, remove, tag);
    /** @type {Line} */
    const line = {price, element, tag};
    this.#lines.push(line);
    this.#figure.elements.price.append(element);
    return line;
  }

  /** @param {Line} line */
  #remove(line) {
    line.element.remove();
    this.#lines.splice(this.#lines.indexOf(line), 1);
    this.#keep();
  }

  /** @param {MouseEvent} event */
  #at({clientX, clientY, target}) {
    const {left, top, height} = this.#figure.elements.price.getBoundingClientRect();
    if (clientX - left > this.#figure.width || this.#lines.some(({element}) => element === target)) return;
    this.add(this.#figure.axis("price").priceAt((clientY - top) / height));
  }

  /** @param {PointerEvent} event @param {Line} line */
  #drag(event, line) {
    if (event.button !== 0 || /** @type {Element} */ (event.target).matches("button")) return;
    event.stopPropagation();
    line.element.setPointerCapture(event.pointerId);
    const ended = new AbortController();
    const end = () => {
      ended.abort();
      this.#keep();
    };
    const {signal} = ended;
    line.element.addEventListener("pointermove", ({clientY}) => {
      const {top, height} = this.#figure.elements.price.getBoundingClientRect();
      const share = Math.max(0, Math.min(1, (clientY - top) / height));
      this.#move(line, this.#figure.axis("price").priceAt(share));
    }, {signal});
    line.element.addEventListener("pointerup", end, {signal});
    line.element.addEventListener("pointercancel", end, {signal});
  }

  /** @param {KeyboardEvent} event @param {Line} line */
  #key(event, line) {
    const axis = this.#figure.axis("price");
    const step = {ArrowUp: -0.005, ArrowDown: 0.005}[event.key];
    if (step) {
      const moved = axis.priceAt(axis.share(line.price) + step * (event.shiftKey ? 10 : 1));
      this.#move(line, moved);
      this.#keep();
    } else if (event.key === "Delete" || event.key === "Backspace") this.#remove(line);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {Line} line @param {number} price */
  #move(line, price) {
    line.price = this.#rounded(price);
    this.draw();
  }

  /** As the instrument's prices are. @param {number} price */
  #rounded(price) {
    return Number(price.toFixed(Math.min(100, this.#decimals)));
  }

  #keep() {
    keepLines(this.#symbol, this.prices);
  }
}
