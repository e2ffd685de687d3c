/** The live market: a list's symbols as a table or as a heat map. */

import {explainAbsence} from "quotewire/absence.js";
import {address} from "quotewire/address.js";
import {h, setText} from "quotewire/dom.js";
import {ExportMenu} from "quotewire/export_menu.js";
import {linkTo} from "quotewire/exports/link.js";
import {quoteExports} from "quotewire/exports/plan.js";
import {formatCount} from "quotewire/format.js";
import {HeatMap} from "quotewire/market/heat_map.js";
import {followList} from "quotewire/market/lists.js";
import {LiveRows, MOST_LIVE} from "quotewire/market/live_rows.js";
import {sorted} from "quotewire/market/order.js";
import {MarketTable} from "quotewire/market/table.js";
import {MarketToolbar} from "quotewire/market/toolbar.js";
import {pathsOf} from "quotewire/session_paths.js";
import {seedsOf} from "quotewire/session_seeds.js";
import {isLike} from "quotewire/symbol_match.js";

const TICK_MS = 1000;

export class MarketPage {
  #connection;
  /** @type {import("./lists.js").Shown | null} */
  #list = null;
  #rows;
  #table;
  #map;
  #toolbar;
  #exports;
  /** How many rows' prices are old. */
  #old = 0;
  #clear = h("button", {
    type: "button", class: "plain", onclick: () => address.set({find: ""}),
  }, "Show all");
  #why = h("p", {role: "status", "data-testid": "market-empty"});
  #empty = h("div", {class: "empty", hidden: true}, this.#why, this.#clear);

  /** @param {import("../connection.js").Connection} connection @param {(end: () => void) => void} until */
  constructor(connection, until) {
    this.#connection = connection;
    const paths = pathsOf(connection);
    this.#rows = new LiveRows(connection, (symbols) => this.#take(symbols), until);
    this.#table = new MarketTable((symbol) => paths.of(symbol), () => this.#see(), until);
    this.#map = new HeatMap(until);
    seedsOf(connection).follow({
      symbols: () => (this.#view === this.#table ? this.#table.traced : []),
      redraw: (symbol) => this.#table.trace(symbol),
    }, until);
    this.#exports = new ExportMenu(connection, {
      exports: () => this.#exported(), link: () => linkTo(address), picture: null,
    });
    this.#toolbar = new MarketToolbar(connection, (button) => this.#exports.open(button), until);
    this.element = h("section", {class: "card", "aria-label": "Live market", "data-testid": "market"},
      this.#toolbar.element, this.#table.element, this.#map.element, this.#empty, this.#exports.element);
    until(() => this.#exports.end());
    followList(connection, (list) => {
      this.#list = list;
      this.#show();
    }, until);
    until(address.on("find", () => this.#show()));
    until(address.on("view", () => this.#show()));
    until(connection.onState(() => this.#explain()));
    const ticking = setInterval(() => this.#tick(), TICK_MS);
    until(() => clearInterval(ticking));
  }

  get #view() {
    return address.get("view") === "map" ? this.#map : this.#table;
  }

  /** The symbols that are shown, of which the table may be sorted. */
  #exported() {
    const symbols = sorted(this.#rows.all, address.get("sort")).map(({info}) => info.symbol);
    const isAll = symbols.length === this.#connection.symbols?.size;
    return quoteExports({feedUrl: this.#connection.feedUrl, symbols, isAll});
  }

  #show() {
    const infos = (this.#list?.infos ?? []).filter((info) => isLike(info, address.get("find")));
    this.#rows.show(infos);
    const isMap = address.get("view") === "map";
    this.#table.element.hidden = isMap || !infos.length;
    this.#map.element.hidden = !isMap || !infos.length;
    this.#rows.tick();
    this.#view.show(this.#rows.all);
    this.#see();
    this.#explain();
  }

  /** What comes makes new what was old. @param {Set<string>} symbols */
  #take(symbols) {
    this.#view.take(symbols);
    if (this.#old) this.#tell();
  }

  #see() {
    this.#rows.see(this.#view.inView);
  }

  /** Also while the page is paused: what stands still grows old. */
  #tick() {
    this.#rows.tick();
    this.#view.tick();
    this.#tell();
  }

  #tell() {
    const {all, over} = this.#rows;
    const labels = new Set(all.map(({info}) => info.label));
    const old = this.#old = all.filter(({isStale}) => isStale).length;
    const notes = [
      old && (old === all.length ? "All are old" : `${formatCount(old)} are old`),
      over && `Live: those in view, and the first ${formatCount(MOST_LIVE)}`,
    ];
    this.#toolbar.tell({
      count: all.length === 1 ? "1 symbol" : `${formatCount(all.length)} symbols`,
      label: labels.size === 1 ? all[0].info.label : "",
      note: notes.filter(Boolean).join(" · "),
    });
  }

  /** Say in words why there is nothing, and what to do. */
  #explain() {
    this.#tell();
    const list = this.#list;
    const find = address.get("find");
    this.#empty.hidden = this.#rows.all.length > 0;
    this.#clear.hidden = !find || !list?.infos?.length;
    if (!list?.infos) setText(this.#why, explainAbsence(this.#connection));
    else if (!list.infos.length) setText(this.#why, `This feed has none of the list “${list.name}”. Choose another list above.`);
    else setText(this.#why, `No symbol is like “${find}”.`);
  }
}
