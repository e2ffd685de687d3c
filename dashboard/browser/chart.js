/** The chart card: a symbol's price in words, its candles, and what is wrong if they are old. */

import {explainAbsence, explainNoBars, explainNoHistory, explainUnknown} from "quotewire/absence.js";
import {BarSource} from "quotewire/bar_source.js";
import {ChartHeader} from "quotewire/chart_header.js";
import {CandleFigure} from "quotewire/candle_figure.js";
import {expose} from "quotewire/debug.js";
import {h, setText} from "quotewire/dom.js";
import {mount} from "quotewire/live.js";
import {page} from "quotewire/page.js";
import {watchTheme} from "quotewire/theme.js";

const AGE_MS = 1000;

/** @param {import("./panel.d.ts").ElementContext} context */
export function render(context) {
  return mount(context, (connection, until) => new Chart(context, connection, until).element);
}

class Chart {
  #connection;
  #model;
  #header = new ChartHeader();
  #bars;
  #figure;
  #empty = h("p", {class: "empty", role: "status", "data-testid": "chart-empty"});
  #note = h("p", {class: "note", role: "status", "data-testid": "chart-note"});
  #goLive = h("button", {
    type: "button", class: "go-live", hidden: true, "data-testid": "go-live",
    onclick: () => this.#figure.viewport.goLive(),
  }, "Go live ▸");
  /** @type {import("./protocol.js").SymbolInfo | null} */
  #info = null;
  #interval = "";
  #unsubscribe = () => {};

  /**
   * @param {import("./panel.d.ts").ElementContext} context
   * @param {import("./connection.js").Connection} connection
   * @param {(end: () => void) => void} until
   */
  constructor({model, view}, connection, until) {
    this.#connection = connection;
    this.#model = model;
    this.#bars = new BarSource(model.source);
    this.#figure = new CandleFigure(model, this.#bars, {
      width: () => this.element.clientWidth,
      onMoved: () => (this.#goLive.hidden = this.#figure?.viewport.following ?? true),
      onHover: (x) => this.#header.showBar(this.#bars.at(x ?? undefined)),
    });
    this.element = h("section", {class: "card", "aria-label": "Chart", "data-testid": "chart"},
      this.#header.element,
      h("div", {class: "panes"},
        h("div", {class: "price"}, model.get_child("price"), this.#figure.tag),
        h("div", {class: "volume"}, model.get_child("volume")),
        this.#goLive, this.#note, this.#empty));
    const aging = setInterval(() => this.#showHealth(), AGE_MS);
    until(() => clearInterval(aging));
    until(() => this.#unsubscribe());
    until(this.#figure.watch());
    until(watchTheme(view, (dark) => this.#figure.paint(dark)));
    until(connection.onSymbols(() => this.#choose()));
    until(page.onSymbol(() => this.#choose()));
    const chosen = () => this.#choose();
    for (const name of ["symbol", "interval"]) {
      model.on(name, chosen);
      until(() => model.off(name, chosen));
    }
    until(connection.onState(() => this.#showHealth()));
    until(connection.onStatus(() => this.#showHealth()));
    until(expose("chart", () => this.#facts()));
  }

  /** Its own symbol, else the page's. @returns {string} empty where there is none */
  get #symbol() {
    return this.#model.symbol || page.symbol || "";
  }

  /** The figure stays; what it shows is another symbol's, or in other bars. */
  #choose() {
    const {symbols} = this.#connection;
    const info = symbols?.get(this.#symbol) ?? null;
    const {interval} = this.#model;
    const same = sameInfo(info, this.#info) && interval === this.#interval;
    this.#info = info;
    this.#interval = interval;
    this.#showHealth();
    if (same) return;
    this.#unsubscribe();
    this.#bars.clear();
    this.#header.begin(info, interval);
    this.#explain();
    if (info) this.#subscribe(info);
  }

  /** @param {import("./protocol.js").SymbolInfo} info */
  #subscribe({symbol, decimals}) {
    let drawn = false;
    this.#figure.begin(decimals);
    const stops = [
      this.#connection.subscribeQuotes([symbol], ([quote]) => {
        this.#header.showQuote(quote);
        this.#figure.showLast(quote.last);
      }),
      this.#connection.subscribeBars(symbol, this.#interval, (bars, {reset, since_ms}) => {
        if (reset || !drawn) this.#figure.draw(bars);
        else this.#figure.update(bars, since_ms);
        drawn = true;
        this.#explain();
      }),
    ];
    this.#unsubscribe = () => stops.splice(0).forEach((stop) => stop());
  }

  /** Say in words why there is no chart. */
  #explain() {
    const {symbols} = this.#connection;
    const has = this.#bars.at() !== null;
    this.#empty.hidden = has;
    setText(this.#note, has && this.#info
      ? explainNoHistory(this.#connection, this.#info.symbol, this.#interval) : "");
    if (has) return;
    if (symbols === null) setText(this.#empty, explainAbsence(this.#connection));
    else if (!this.#symbol) setText(this.#empty, "Choose a symbol.");
    else if (this.#info === null) {
      setText(this.#empty, `${explainUnknown(this.#symbol)} Choose one that it has.`);
    } else setText(this.#empty, explainNoBars(this.#connection, this.#info.symbol, this.#interval));
  }

  /** Old prices stay, dimmed, with their age. */
  #showHealth() {
    this.#explain();
    const {state, age_ms} = this.#info
      ? this.#connection.freshness(this.#info.symbol) : {state: "unknown", age_ms: null};
    const stale = state === "stale" && this.#bars.at() !== null;
    this.element.toggleAttribute("data-stale", stale);
    this.#header.showAge(stale ? age_ms : null);
  }

  #facts() {
    const {first, end} = this.#bars.extent;
    return {
      symbol: this.#info?.symbol ?? null,
      interval: this.#interval,
      bars: end - first,
      last: this.#bars.at(),
      before_last: this.#bars.at(end - 2),
      following: this.#figure.viewport.following,
    };
  }
}

/**
 * @param {import("./protocol.js").SymbolInfo | null} a
 * @param {import("./protocol.js").SymbolInfo | null} b
 */
function sameInfo(a, b) {
  return a?.symbol === b?.symbol && a?.label === b?.label && a?.decimals === b?.decimals;
}
