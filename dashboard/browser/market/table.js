/** The market table: many rows, of which those in view are in the page. */

import {address} from "quotewire/address.js";
import {h} from "quotewire/dom.js";
import {chosenColumns} from "quotewire/market/columns.js";
import {Calm, sorted} from "quotewire/market/order.js";
import {rowAt, rowsInView, scrolledTo} from "quotewire/market/rows_in_view.js";
import {TableHead} from "quotewire/market/table_head.js";
import {TableRow} from "quotewire/market/table_row.js";
import {pause} from "quotewire/pause.js";

/** @typedef {import("./columns.js").Row} Row */
/** @typedef {import("./columns.js").Column} Column */

/** As in `market.css`. */
const ROW_PX = 34;
const HEAD_PX = 30;
const PADDING_PX = 20;

export class MarketTable {
  /** @type {readonly Row[]} in the order of their list */
  #rows = [];
  /** @type {Row[]} as they are shown */
  #order = [];
  /** Those that had no price when they were sorted. @type {Set<string>} */
  #unknown = new Set();
  /** @type {Map<string, TableRow>} */
  #drawn = new Map();
  /** @type {readonly Column[]} */
  #columns = [];
  /** @type {Map<string, number>} digits by column */
  #widths = new Map();
  #fitted = "";
  #calm = new Calm();
  #head = new TableHead({get: () => address.get("sort"), set: (sort) => address.set({sort})});
  #active = "";
  #pathOf;
  #onView;
  #body = h("div", {
    role: "rowgroup", class: "body", "data-testid": "market-rows",
    onpointerenter: () => this.#calm.pointer(true), onpointerleave: () => this.#calm.pointer(false),
    onclick: (/** @type {MouseEvent} */ {target}) => this.#clicked(target),
  });
  #inner = h("div", {class: "inner", role: "presentation"}, this.#head.element, this.#body);
  element = h("div", {
    role: "grid", class: "grid", tabindex: "0", "aria-label": "Live market", "data-testid": "market-table",
    onscroll: () => this.#draw(),
    onkeydown: (/** @type {KeyboardEvent} */ event) => this.#pressed(event),
  }, this.#inner);

  /**
   * @param {(symbol: string) => import("../sparkline.js").Path} pathOf a symbol in its session
   * @param {() => void} onView called when other rows are in view
   * @param {(end: () => void) => void} until
   */
  constructor(pathOf, onView, until) {
    this.#pathOf = pathOf;
    this.#onView = onView;
    until(address.on("columns", (names) => this.#choose(names)));
    until(address.on("sort", () => {
      this.#head.mark();
      this.#sort();
    }));
    const sizes = new ResizeObserver(() => this.#draw());
    sizes.observe(this.element);
    until(() => sizes.disconnect());
  }

  /** Symbols of the rows that are in the page. */
  get inView() {
    return [...this.#drawn.keys()];
  }

  /** Of these, where lines are shown. */
  get traced() {
    return this.#columns.some(({kind}) => kind === "trend") ? this.inView : [];
  }

  /** @param {string} symbol whose path has become another */
  trace(symbol) {
    this.#drawn.get(symbol)?.trace(this.#pathOf(symbol));
  }

  /** @param {readonly Row[]} rows in the order of their list */
  show(rows) {
    this.#rows = rows;
    this.#sort();
    const now_ms = performance.now();
    for (const row of this.#shown()) this.#write(row, now_ms);
    this.#fit();
  }

  /** @param {ReadonlySet<string>} symbols that have changed */
  take(symbols) {
    const now_ms = performance.now();
    const isAwaited = [...symbols].some((symbol) => this.#unknown.has(symbol));
    if (isAwaited && !this.#calm.isHeld(now_ms)) this.#sort();
    for (const row of this.#shown()) {
      if (symbols.has(row.info.symbol)) this.#write(row, now_ms);
    }
    this.#fit();
  }

  /** What goes with time: ages, and the order. */
  tick() {
    if (!pause.isPaused && address.get("sort") && this.#calm.mayMove(performance.now())) this.#sort();
    for (const row of this.#shown()) this.#drawn.get(row.info.symbol)?.age(row);
  }

  /** @param {string[]} names */
  #choose(names) {
    this.#columns = chosenColumns(names);
    this.#widths = new Map(this.#columns.map(({name, least}) => [name, least]));
    this.#head.show(this.#columns);
    this.element.setAttribute("aria-colcount", String(this.#columns.length));
    this.#drawn.clear();
    this.#body.replaceChildren();
    this.#layout();
    this.#draw();
  }

  #sort() {
    const sort = address.get("sort");
    this.#order = sorted(this.#rows, sort);
    this.#unknown = new Set(sort ? this.#rows.flatMap(({info, quote}) => (quote ? [] : info.symbol)) : []);
    this.#calm.moved(performance.now());
    this.element.setAttribute("aria-rowcount", String(this.#order.length + 1));
    this.#body.style.height = `${this.#order.length * ROW_PX}px`;
    this.#draw();
  }

  get #view() {
    return {top: this.element.scrollTop, height: Math.max(0, this.element.clientHeight - HEAD_PX)};
  }

  #shown() {
    const {first, end} = rowsInView(this.#view, ROW_PX, this.#order.length);
    return this.#order.slice(first, end);
  }

  /** The rows in view, in their places; those that are there stay as they are. */
  #draw() {
    if (!this.#columns.length) return;
    const {first} = rowsInView(this.#view, ROW_PX, this.#order.length);
    const before = this.#drawn;
    const now_ms = performance.now();
    this.#drawn = new Map();
    let isOther = false;
    this.#shown().forEach((row, at) => {
      const {symbol} = row.info;
      const known = before.get(symbol);
      const drawn = known ?? new TableRow(row, this.#columns);
      this.#drawn.set(symbol, drawn);
      before.delete(symbol);
      drawn.place(first + at, (first + at) * ROW_PX, `row-${symbol}`);
      if (known) return;
      isOther = true;
      this.#write(row, now_ms);
      this.#body.append(drawn.element);
    });
    for (const gone of before.values()) gone.element.remove();
    this.#inOrder();
    this.#mark();
    this.#fit();
    if (isOther) this.#onView();
  }

  /** Also in the page, for those who read it from top to bottom. */
  #inOrder() {
    let next = this.#body.firstElementChild;
    for (const {element} of this.#drawn.values()) {
      if (element === next) next = next.nextElementSibling;
      else this.#body.insertBefore(element, next);
    }
  }

  /** @param {Row} row @param {number} now_ms */
  #write(row, now_ms) {
    const {symbol} = row.info;
    this.#drawn.get(symbol)?.show(row, this.#pathOf(symbol), now_ms, ({name}, {length}) => {
      if (length > (this.#widths.get(name) ?? 0)) this.#widths.set(name, length);
    });
  }

  /** Columns grow with what they say, and never shrink under the reader's eyes. */
  #fit() {
    if ([...this.#widths.values()].join() !== this.#fitted) this.#layout();
  }

  #layout() {
    const digits = [...this.#widths.values()];
    this.#fitted = digits.join();
    const columns = digits.map((width, at) =>
      `minmax(calc(${width}ch + ${PADDING_PX}px), ${at === 0 ? 2 : 1}fr)`);
    const all = digits.reduce((sum, width) => sum + width, 0);
    this.element.style.setProperty("--columns", columns.join(" "));
    this.element.style.setProperty("--least", `calc(${all}ch + ${digits.length * PADDING_PX}px)`);
  }

  #mark() {
    for (const [symbol, row] of this.#drawn) row.mark(symbol === this.#active);
    if (this.#drawn.has(this.#active)) this.element.setAttribute("aria-activedescendant", `row-${this.#active}`);
    else this.element.removeAttribute("aria-activedescendant");
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.target !== this.element) return;
    if (event.key === "Enter" && this.#active) open(this.#active);
    const at = this.#order.findIndex(({info}) => info.symbol === this.#active);
    const page = Math.max(1, Math.floor(this.#view.height / ROW_PX) - 1);
    const to = rowAt(event.key, at, this.#order.length, page);
    if (to === null || !this.#order.length) return;
    event.preventDefault();
    this.#calm.pressed(performance.now());
    this.#active = this.#order[to].info.symbol;
    this.element.scrollTop = scrolledTo(this.#view, ROW_PX, to);
    this.#draw();
  }

  /** @param {EventTarget | null} target */
  #clicked(target) {
    const row = target instanceof Element ? target.closest("[data-symbol]") : null;
    if (row instanceof HTMLElement && row.dataset.symbol) open(row.dataset.symbol);
  }
}

/** @param {string} symbol its page */
function open(symbol) {
  address.set({page: "symbol", symbol}, {push: true});
}
