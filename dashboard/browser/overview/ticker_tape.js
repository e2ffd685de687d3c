/**
 * The ticker tape: a list's prices going by. It stands still under the pointer and the keyboard's
 * focus, and while the page is paused; where nothing may move it is a row to be scrolled.
 */

import {address} from "quotewire/address.js";
import {h, setText} from "quotewire/dom.js";
import {changeOf, directionOf, formatPercent, formatPrice} from "quotewire/format.js";
import {mount} from "quotewire/live.js";
import {followList} from "quotewire/market/lists.js";
import {pause} from "quotewire/pause.js";

/** @typedef {import("../protocol.js").SymbolInfo} SymbolInfo */
/** @typedef {import("../core/quote_book.js").Quote} Quote */
/** @typedef {{list: HTMLElement, items: Map<string, (quote: Quote) => void>}} Copy */

const MOST = 30;
const PX_PER_S = 45;
const MARKS = {up: "▲", down: "▼", flat: ""};

/** @param {import("../panel.d.ts").ElementContext} context */
export function render(context) {
  return mount(context, (connection, until) => new TickerTape(connection, until).element);
}

class TickerTape {
  #connection;
  /** @type {SymbolInfo[]} */
  #infos = [];
  /** @type {Map<string, Quote>} */
  #quotes = new Map();
  /** @type {Copy[]} the first one is for all, the others for the eye */
  #copies = [];
  #unsubscribe = () => {};
  #lane = h("div", {class: "lane"});
  element = h("section", {
    class: "tape", "aria-label": "Ticker tape", "data-testid": "ticker-tape",
  }, this.#lane);

  /** @param {import("../connection.js").Connection} connection @param {(end: () => void) => void} until */
  constructor(connection, until) {
    this.#connection = connection;
    until(() => this.#unsubscribe());
    followList(connection, ({infos}) => this.#fill((infos ?? []).slice(0, MOST)), until);
    until(pause.on((isPaused) => this.element.toggleAttribute("data-paused", isPaused)));
    const sizes = new ResizeObserver(() => this.#fit());
    sizes.observe(this.element);
    sizes.observe(this.#lane);
    until(() => sizes.disconnect());
  }

  /** @param {SymbolInfo[]} infos */
  #fill(infos) {
    this.#infos = infos;
    this.#copies = [];
    this.#lane.replaceChildren();
    if (infos.length) this.#copy();
    const before = this.#unsubscribe;
    this.#unsubscribe = this.#connection.subscribeQuotes(infos.map(({symbol}) => symbol), (quotes) => {
      for (const quote of quotes) {
        this.#quotes.set(quote.symbol, quote);
        for (const {items} of this.#copies) items.get(quote.symbol)?.(quote);
      }
    });
    before();
  }

  #copy() {
    const isFirst = this.#copies.length === 0;
    const made = this.#infos.map((info) => ({symbol: info.symbol, ...item(info)}));
    const list = h("ul", {"aria-hidden": isFirst ? false : "true", inert: !isFirst}, ...made.map(({element}) => element));
    for (const {symbol, show} of made) {
      const quote = this.#quotes.get(symbol);
      if (quote) show(quote);
    }
    this.#copies.push({list, items: new Map(made.map(({symbol, show}) => [symbol, show]))});
    this.#lane.append(list);
  }

  /** As many copies as fill the place while one of them goes out of it. */
  #fit() {
    const place = this.element.clientWidth;
    const one = this.#copies[0]?.list.offsetWidth;
    if (!place || !one) return;
    const wanted = Math.ceil(place / one) + 1;
    while (this.#copies.length > wanted) this.#copies.pop()?.list.remove();
    while (this.#copies.length < wanted) this.#copy();
    this.element.style.setProperty("--copies", String(wanted));
    const seconds = Math.round(one / PX_PER_S);
    this.element.style.setProperty("--round", `${seconds}s`);
  }
}

/** @param {SymbolInfo} info */
function item({symbol, name, decimals}) {
  const last = h("span");
  const change = h("span", {class: "change"});
  const link = h("a", {
    href: address.linkTo({page: "symbol", symbol}), title: name,
    onclick: (/** @type {MouseEvent} */ event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // in another tab
      event.preventDefault();
      address.set({page: "symbol", symbol}, {push: true});
    },
  }, h("b", {}, symbol), last, change);
  return {
    element: h("li", {}, link),
    /** @param {Quote} quote */
    show(quote) {
      const {ratio} = changeOf(quote);
      const direction = directionOf(ratio);
      setText(last, formatPrice(quote.last, decimals));
      setText(change, ratio === null ? "" : `${MARKS[direction]}${formatPercent(Math.abs(ratio)).replace("+", "")}`);
      change.dataset.direction = direction;
    },
  };
}
