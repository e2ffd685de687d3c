/** Cards of a list's first symbols: price, change, path and range of the day. A click chooses one. */

import {address} from "quotewire/address.js";
import {DayRange} from "quotewire/day_range.js";
import {h, setText} from "quotewire/dom.js";
import {Flash} from "quotewire/flash.js";
import {changeOf, directionOf, formatAge, formatChange, formatPercent, formatPrice} from "quotewire/format.js";
import {mount} from "quotewire/live.js";
import {followList} from "quotewire/market/lists.js";
import {pathsOf} from "quotewire/session_paths.js";
import {seedsOf} from "quotewire/session_seeds.js";
import {Sparkline} from "quotewire/sparkline.js";

/** @typedef {import("../protocol.js").SymbolInfo} SymbolInfo */
/** @typedef {import("../core/quote_book.js").Quote} Quote */

const MOST = 6;
/** A card needs so much room; those that have none are not there. */
const CARD_PX = 190;
const GAP_PX = 10;
const AGE_MS = 1000;

/** @param {import("../panel.d.ts").ElementContext} context */
export function render(context) {
  return mount(context, (connection, until) => new Cards(connection, until).element);
}

class Cards {
  #connection;
  /** @type {SymbolInfo[]} */
  #infos = [];
  /** @type {Map<string, Card>} */
  #cards = new Map();
  #shown = "";
  #unsubscribe = () => {};
  element = h("section", {class: "cards", "aria-label": "First of the list", "data-testid": "cards"});

  /** @param {import("../connection.js").Connection} connection @param {(end: () => void) => void} until */
  constructor(connection, until) {
    this.#connection = connection;
    until(() => this.#unsubscribe());
    followList(connection, ({infos}) => {
      this.#infos = (infos ?? []).slice(0, MOST);
      this.#fill();
    }, until);
    until(address.on("symbol", () => this.#mark()));
    const sizes = new ResizeObserver(() => this.#fill());
    sizes.observe(this.element);
    until(() => sizes.disconnect());
    const aging = setInterval(() => this.#age(), AGE_MS);
    until(() => clearInterval(aging));
    const paths = pathsOf(connection);
    seedsOf(connection).follow({
      symbols: () => this.#cards.keys(),
      redraw: (symbol) => this.#cards.get(symbol)?.trace(paths.of(symbol)),
    }, until);
  }

  /** As many as have room; on a phone all, to be pushed along. */
  #fill() {
    const {clientWidth} = this.element;
    const room = Math.max(1, Math.floor((clientWidth + GAP_PX) / (CARD_PX + GAP_PX)));
    const infos = this.#infos.slice(0, room < 3 ? MOST : room);
    const shown = JSON.stringify(infos);
    if (shown === this.#shown || !clientWidth) return;
    this.#shown = shown;
    this.#cards = new Map(infos.map((info) => [info.symbol, new Card(info)]));
    this.element.replaceChildren(...[...this.#cards.values()].map(({element}) => element));
    const paths = pathsOf(this.#connection);
    const before = this.#unsubscribe;
    this.#unsubscribe = this.#connection.subscribeQuotes([...this.#cards.keys()], (quotes) => {
      const now_ms = performance.now();
      for (const quote of quotes) this.#cards.get(quote.symbol)?.show(quote, paths.add(quote), now_ms);
    });
    before();
    this.#mark();
    this.#age();
  }

  #mark() {
    const chosen = address.get("symbol");
    for (const [symbol, {element}] of this.#cards) {
      element.setAttribute("aria-pressed", String(symbol === chosen));
    }
  }

  #age() {
    for (const [symbol, card] of this.#cards) {
      const {state, age_ms} = this.#connection.freshness(symbol);
      card.age(state === "stale" ? age_ms : null);
    }
  }
}

class Card {
  #info;
  #session = "";
  #what = h("small");
  #last = h("span", {class: "last"}, "–");
  #change = h("span", {class: "change"});
  #spark = new Sparkline();
  #range = new DayRange("card");
  #flash = new Flash(this.#last);

  /** @param {SymbolInfo} info */
  constructor(info) {
    this.#info = info;
    const {symbol, name, label} = info;
    setText(this.#what, label);
    this.#last.dataset.testid = `card-${symbol}-last`;
    this.element = h("button", {
      type: "button", class: "quote", title: `${symbol} · ${name}`, "data-testid": `card-${symbol}`,
      onclick: () => address.set({symbol}),
    }, h("span", {class: "line"}, h("b", {}, symbol), this.#what),
    h("span", {class: "line price"}, this.#last, this.#spark.element), this.#change, this.#range.element);
  }

  /** @param {Quote} quote @param {import("../sparkline.js").Path} path @param {number} now_ms */
  show(quote, path, now_ms) {
    const {decimals} = this.#info;
    const {change, ratio} = changeOf(quote);
    const last = formatPrice(quote.last, decimals);
    this.#session = quote.session;
    setText(this.#last, last);
    this.#last.dataset.length = last.length > 14 ? "longest" : last.length > 9 ? "long" : "";
    setText(this.#change, change === null ? "" : `${formatChange(change, decimals)} (${formatPercent(ratio)})`);
    this.element.dataset.direction = directionOf(change);
    this.#range.show(quote, decimals);
    this.trace(path);
    this.#flash.show(quote.last, now_ms);
  }

  /** @param {import("../sparkline.js").Path} path */
  trace(path) {
    this.#spark.draw(path);
  }

  /** @param {number | null} age_ms of a price that may be out of date */
  age(age_ms) {
    const isOld = age_ms !== null && this.#session !== "";
    this.element.toggleAttribute("data-stale", isOld);
    setText(this.#what, isOld ? `${formatAge(age_ms)} old`
      : [this.#info.label, this.#session].filter(Boolean).join(" · "));
  }
}
