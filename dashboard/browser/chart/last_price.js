/** The last price on its axis: a line across the figure, and a tag. Both are of the page, not drawn. */

import {h, setText} from "quotewire/dom.js";

export class LastPrice {
  #line = h("div", {class: "last-line", hidden: true});
  #tag = h("output", {class: "tag last", hidden: true, "data-testid": "price-tag"});
  #figure;
  /** @type {number | null} */
  #last = null;

  /** @param {import("./figure.js").ChartFigure} figure */
  constructor(figure) {
    this.#figure = figure;
    figure.elements.price.append(this.#line, this.#tag);
  }

  get price() {
    return this.#last;
  }

  /** @param {number | null} price */
  show(price) {
    this.#last = price;
    this.draw();
  }

  draw() {
    const axis = this.#figure.axis("price");
    const share = this.#last === null ? -1 : axis.share(this.#last);
    this.#tag.hidden = this.#line.hidden = !(share >= 0 && share <= 1);
    if (this.#last === null) return;
    this.#tag.style.top = this.#line.style.top = `${(share * 100).toFixed(2)}%`;
    setText(this.#tag, axis.text(this.#last));
  }
}
