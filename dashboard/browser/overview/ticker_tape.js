/**
 * The ticker tape: a list's prices going by. It stands still under the pointer and the keyboard's
 * focus, and while the page is paused; where nothing may move it is a row to be scrolled.
 */

import {address} from "quotewire/address.js";
import {h, setText} from "quotewire/dom.js";
import {changeOf, directionOf, formatPercent, formatPrice} from "quotewire/format.js";
import {mount} from "quotewire/live.js";
import {followList} from "quotewire/market/lists.js";
import {ageTitle, labelOf, oldWords} from "quotewire/overview/old_words.js";
import {pause} from "quotewire/pause.js";

/** @typedef {import("../protocol.js").SymbolInfo} SymbolInfo */
/** @typedef {import("../core/quote_book.js").Quote} Quote */
/**
 * @typedef {object} Item
 * @property {HTMLElement} element
 * @property {(quote: Quote) => void} show
 * @property {(age_ms: number | null) => void} age of a price that may be out of date
 * @typedef {{list: HTMLElement, items: Map<string, Item>}} Copy
 */

const MOST = 30;
const PX_PER_S = 45;
const AGE_MS = 1000;
const MARKS = {up: "▲", down: "▼", flat: ""};

/** @param {import("../panel.d.ts").ElementContext} context */
export function render(context) {
  return mount(context, (connection, until) => new TickerTape(connection, until).element);
}

export class TickerTape {
  #connection;
  /** @type {SymbolInfo[]} */
  #infos = [];
  /** @type {Map<string, Quote>} */
  #quotes = new Map();
  /** @type {Copy[]} the first one is for all, the others for the eye */
  #copies = [];
  #unsubscribe = () => {};
  #label = h("span", {class: "chip", "data-testid": "tape-label"});
  #old = h("span", {class: "note", "data-testid": "tape-old"});
  #lane = h("div", {class: "lane"});
  element = h("section", {
    class: "tape", "aria-label": "Ticker tape", "data-testid": "ticker-tape",
  }, h("div", {class: "what"}, this.#label, this.#old), this.#lane);

  /** @param {import("../connection.js").Connection} connection @param {(end: () => void) => void} until */
  constructor(connection, until) {
    this.#connection = connection;
    until(() => this.#unsubscribe());
    followList(connection, ({infos}) => this.#fill((infos ?? []).slice(0, MOST)), until);
    until(pause.on((isPaused) => this.element.toggleAttribute("data-paused", isPaused)));
    const aging = setInterval(() => this.#age(), AGE_MS);
    until(() => clearInterval(aging));
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
    setText(this.#label, labelOf(infos));
    if (infos.length) this.#copy();
    const before = this.#unsubscribe;
    this.#unsubscribe = this.#connection.subscribeQuotes(infos.map(({symbol}) => symbol), (quotes) => {
      for (const quote of quotes) {
        this.#quotes.set(quote.symbol, quote);
        for (const {items} of this.#copies) items.get(quote.symbol)?.show(quote);
      }
    });
    before();
  }

  #copy() {
    const isFirst = this.#copies.length === 0;
    const items = new Map(this.#infos.map((info) => [info.symbol, item(info)]));
    const list = h("ul", {"aria-hidden": isFirst ? false : "true", inert: !isFirst},
      ...[...items.values()].map(({element}) => element));
    for (const [symbol, {show}] of items) {
      const quote = this.#quotes.get(symbol);
      if (quote) show(quote);
    }
    this.#copies.push({list, items});
    this.#lane.append(list);
    this.#age();
  }

  /** Old prices stay, dimmed, with their age. */
  #age() {
    let old = 0;
    for (const {symbol} of this.#infos) {
      const {state, age_ms} = this.#connection.freshness(symbol);
      const isOld = state === "stale" && age_ms !== null;
      for (const {items} of this.#copies) items.get(symbol)?.age(isOld ? age_ms : null);
      if (isOld) old += 1;
    }
    setText(this.#old, oldWords(old, this.#infos.length));
  }

  /** As many copies as fill the place while one of them goes out of it. */
  #fit() {
    const place = this.element.clientWidth; // also where the label stands over it
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

/** @param {SymbolInfo} info @returns {Item} */
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
    age(age_ms) {
      link.toggleAttribute("data-stale", age_ms !== null);
      link.title = ageTitle(name, age_ms);
    },
    show(quote) {
      const {ratio} = changeOf(quote);
      const direction = directionOf(ratio);
      setText(last, formatPrice(quote.last, decimals));
      setText(change, ratio === null ? "" : `${MARKS[direction]}${formatPercent(Math.abs(ratio)).replace("+", "")}`);
      change.dataset.direction = direction;
    },
  };
}
