/** Horizontal lines at prices the user chose: drawn over the chart, moved by dragging or by keys. */

import {MOST_LINES, changeLines, linesOf, onLinesElsewhere, written} from "quotewire/chart/line_store.js";
import {h, setText} from "quotewire/dom.js";

/**
 * @typedef {import("./figure.js").ChartFigure} ChartFigure
 * @typedef {{price: number, element: HTMLElement, tag: HTMLElement}} Line
 */

export class PriceLines {
  #figure;
  #place;
  #symbol = "";
  #decimals = 2;
  /** @type {Line[]} */
  #lines = [];
  /** @type {number[]} as they were kept when we looked last */
  #kept = [];
  #drags = false;
  #ends;

  /** @param {ChartFigure} figure @param {import("../address.js").Address} place that tells of them, too */
  constructor(figure, place) {
    this.#figure = figure;
    this.#place = place;
    figure.elements.price.addEventListener("dblclick", (event) => this.#at(event));
    this.#ends = [onLinesElsewhere(() => this.#elsewhere()), place.on("lines", () => this.#show(this.#wanted))];
  }

  end() {
    for (const end of this.#ends.splice(0)) end();
  }

  /** @returns {number[]} */
  get prices() {
    return this.#lines.map(({price}) => price);
  }

  /** @param {string} symbol @param {number} decimals */
  begin(symbol, decimals) {
    this.#symbol = symbol;
    this.#decimals = decimals;
    this.#show(this.#wanted);
    this.#tell();
  }

  /** Add one in the middle of what is in view, or at a price. @param {number} [price] */
  add(price = this.#figure.axis("price").priceAt(0.5)) {
    if (!this.#symbol || !Number.isFinite(price)) return;
    const rounded = this.#rounded(price);
    changeLines(this.#symbol, {add: [rounded]});
    this.#show([...this.prices, rounded]);
    this.#tell();
    this.#lines.find((line) => line.price === rounded)?.element.focus();
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

  /** Those that are kept, and those that a link brought. @returns {number[]} */
  get #wanted() {
    if (!this.#symbol) return [];
    const told = this.#place.get("lines").map((text) => this.#rounded(Number(text)));
    return [...linesOf(this.#symbol), ...told];
  }

  /** What another tab removed goes here, too; the rest stays. */
  #elsewhere() {
    const now = linesOf(this.#symbol);
    const gone = this.#kept.filter((price) => !now.includes(price));
    this.#show([...this.prices.filter((price) => !gone.includes(price)), ...now]);
    this.#tell();
  }

  /** Draw these, each once: those that are there stay. @param {number[]} prices */
  #show(prices) {
    if (this.#drags) return;
    const missing = new Set([...new Set(prices)].slice(-MOST_LINES));
    for (const line of [...this.#lines]) if (!missing.delete(line.price)) this.#erase(line);
    for (const price of missing) this.#draw(price);
    this.draw();
  }

  #tell() {
    if (!this.#symbol) return;
    this.#kept = linesOf(this.#symbol);
    this.#place.set({lines: this.prices.map((price) => written(price, this.#decimals))});
  }

  /** @param {number} price */
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
  }

  /** @param {Line} line */
  #remove(line) {
    this.#erase(line);
    changeLines(this.#symbol, {remove: [line.price]});
    this.#tell();
  }

  /** @param {Line} line */
  #erase(line) {
    line.element.remove();
    this.#lines.splice(this.#lines.indexOf(line), 1);
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
    const before = line.price;
    this.#drags = true;
    const end = () => {
      ended.abort();
      this.#drags = false;
      this.#moved(line, before);
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
      const times = event.shiftKey ? 10 : 1;
      const by = Math.abs(axis.priceAt(axis.share(line.price) + step * times) - line.price);
      const before = line.price;
      // Where the axis is that short, by the least that a price can differ.
      this.#move(line, line.price - Math.sign(step) * Math.max(by || 0, times * 10 ** -this.#decimals));
      this.#moved(line, before);
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

  /** Where another line is, one goes. @param {Line} line @param {number} before its price */
  #moved(line, before) {
    if (line.price === before) return;
    changeLines(this.#symbol, {remove: [before], add: [line.price]});
    this.#show(this.prices);
    this.#tell();
  }

  /** As the instrument's prices are. @param {number} price */
  #rounded(price) {
    return Number(price.toFixed(Math.min(100, this.#decimals)));
  }
}
