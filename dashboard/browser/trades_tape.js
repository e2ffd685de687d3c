/** The trades of the page's symbol as they come: every one, the newest on top. */

import {explainAbsence, explainUnknown} from "quotewire/absence.js";
import {address} from "quotewire/address.js";
import {h, setText} from "quotewire/dom.js";
import {formatCount, formatPrice} from "quotewire/format.js";
import {mount} from "quotewire/live.js";
import {TickRule} from "quotewire/tick_rule.js";
import {marketZone} from "quotewire/wording.js";
import {wallClock} from "quotewire/zone.js";

/** Rows that are kept. */
const MOST = 200;
const MARKS = {up: "▲", down: "▼", flat: ""};

/** @typedef {import("./core/trade_book.js").Trade} Trade */

/** @param {import("./panel.d.ts").ElementContext} context */
export function render(context) {
  return mount(context, (connection, until) => new TradesTape(connection, until).element);
}

export class TradesTape {
  #connection;
  #symbol = "";
  #decimals = 2;
  #zone = "UTC";
  #rule = new TickRule();
  /** Of the first one that came by itself. @type {number | null} */
  #first_offset = null;
  /** Those that came by themselves and went no way yet: it is as with the history before them. */
  #flat = /** @type {{row: HTMLElement, price: number}[]} */ ([]);
  /** Those of the history: they may come by themselves, too. @type {Set<string>} */
  #told = new Set();
  #unsubscribe = () => {};
  #whose = h("span", {class: "muted"});
  #rows = h("tbody", {"data-testid": "trades"});
  #empty = h("p", {class: "empty", role: "status", "data-testid": "trades-empty"});
  element = h("section", {class: "card", "aria-label": "Trades", "data-testid": "trades-tape"},
    h("header", {}, h("h2", {}, "Trades"), this.#whose),
    h("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": "Last trades"},
      h("table", {}, h("thead", {}, h("tr", {},
        h("th", {scope: "col"}, "Time"), h("th", {scope: "col", class: "number"}, "Price"),
        h("th", {scope: "col", class: "number"}, "Size"))), this.#rows), this.#empty));

  /**
   * @param {import("./connection.js").Connection} connection
   * @param {(end: () => void) => void} until
   */
  constructor(connection, until) {
    this.#connection = connection;
    until(() => this.#unsubscribe());
    until(connection.onSymbols(() => this.#choose()));
    until(connection.onState(() => this.#explain()));
    until(address.on("symbol", () => this.#choose()));
    until(connection.onLost(({channel, symbol}) => {
      if (channel === "trades" && symbol === this.#symbol) this.#note("some trades are missing here");
    }));
  }

  #choose() {
    const asked = address.get("symbol") ?? "";
    const info = this.#connection.symbols?.get(asked) ?? null;
    const symbol = info?.symbol ?? "";
    this.#decimals = info?.decimals ?? 2;
    this.#zone = marketZone(info?.zone);
    if (symbol !== this.#symbol) this.#begin(symbol);
    this.#explain();
  }

  /** @param {string} symbol empty for none */
  #begin(symbol) {
    this.#unsubscribe();
    this.#unsubscribe = () => {};
    this.#symbol = symbol;
    this.#rule = new TickRule();
    this.#first_offset = null;
    this.#flat = [];
    this.#told.clear();
    this.#rows.replaceChildren();
    setText(this.#whose, symbol);
    if (!symbol) return;
    const unsubscribe = this.#connection.subscribeTrades([symbol], (trades, skipped) => {
      if (skipped) this.#note(`${formatCount(skipped)} more than a page can show`);
      this.#add(trades);
    });
    this.#unsubscribe = unsubscribe;
    this.#fill(symbol);
  }

  /** The last ones before, so that the tape does not begin empty. @param {string} symbol */
  async #fill(symbol) {
    let body;
    try {
      body = await this.#connection.ask("trades", {symbol, limit: MOST});
    } catch {
      return; // trades come by themselves
    }
    if (symbol !== this.#symbol) return;
    /** @type {import("./core/trade_book.js").TradeSeries} */
    const {time_ms, price, size, offsets} = body;
    this.#addBefore(time_ms.map((time, i) => ({
      symbol, time_ms: time, price: price[i], size: size[i], offset: offsets[i], received_ms: null,
    })));
  }

  /** Beneath what has come since. @param {Trade[]} trades oldest first */
  #addBefore(trades) {
    const first = this.#first_offset ?? Infinity;
    const before = trades.filter(({offset}) => offset < first);
    this.#told = new Set(before.map(idOf));
    const rule = new TickRule();
    this.#rows.append(...before.map((trade) => this.#row(trade, rule)).reverse());
    for (const {row, price} of this.#flat.splice(0)) mark(row, rule.next(price));
    if (!this.#rule.hasMoved) this.#rule = rule;
    this.#trim();
  }

  /** @param {Trade[]} trades oldest first */
  #add(trades) {
    const fresh = trades.filter((trade) => !this.#told.has(idOf(trade)));
    this.#first_offset ??= fresh[0]?.offset ?? null;
    const rows = fresh.map((trade) => {
      const row = this.#row(trade, this.#rule);
      if (!this.#rule.hasMoved) this.#flat.push({row, price: trade.price});
      return row;
    });
    this.#flat.splice(0, this.#flat.length - MOST);
    this.#rows.prepend(...rows.slice(-MOST).reverse());
    this.#trim();
  }

  #trim() {
    while (this.#rows.childElementCount > MOST) this.#rows.lastElementChild?.remove();
    this.#explain();
  }

  /** @param {Trade} trade @param {TickRule} rule that has seen those before it */
  #row({time_ms, price, size, offset}, rule) {
    const direction = rule.next(price);
    const {date, clock} = wallClock(this.#zone, time_ms);
    const tenths = Math.floor((time_ms % 1000) / 100);
    const row = h("tr", {"data-offset": String(offset)},
      h("td", {title: date}, `${clock}.${tenths}`),
      h("td", {class: "number change"}, h("i"), formatPrice(price, this.#decimals)),
      h("td", {class: "number"}, size ? sizeText(size) : ""));
    mark(row, direction);
    return row;
  }

  /** @param {string} text */
  #note(text) {
    this.#rows.prepend(h("tr", {class: "note"}, h("td", {colspan: "3"}, `⋯ ${text}`)));
  }

  #explain() {
    const has = this.#rows.childElementCount > 0;
    this.#empty.hidden = has;
    if (!has) setText(this.#empty, this.#absence);
  }

  get #absence() {
    const asked = address.get("symbol");
    if (this.#connection.symbols === null) return explainAbsence(this.#connection);
    if (this.#symbol) return `Waiting for a trade of ${this.#symbol} …`;
    return asked ? explainUnknown(asked) : "Choose a symbol to see its trades.";
  }
}

/** @param {HTMLElement} row @param {import("./tick_rule.js").Direction} direction */
function mark(row, direction) {
  row.dataset.direction = direction;
  const sign = row.querySelector("i");
  if (sign) setText(sign, MARKS[direction]);
}

/** Offsets begin anew where the feed's data was lost. @param {Trade} trade */
function idOf({offset, time_ms}) {
  return `${offset} ${time_ms}`;
}

/** Shares are whole; of a coin there are parts. @param {number} size */
function sizeText(size) {
  return Number.isInteger(size) ? formatCount(size) : formatPrice(size, size >= 1 ? 4 : 8).replace(/[.,]?0+$/, "");
}
