/** The chart card: a symbol's bars, what is drawn beside them, and what is wrong if they are old. */

import {address} from "quotewire/address.js";
import {readColours} from "quotewire/chart/colours.js";
import {comparable} from "quotewire/chart/comparable.js";
import {Comparison, colourOf} from "quotewire/chart/comparison.js";
import {Crosshair} from "quotewire/chart/crosshair.js";
import {Absence} from "quotewire/chart/empty.js";
import {factsOf} from "quotewire/chart/facts.js";
import {ChartFigure} from "quotewire/chart/figure.js";
import {History} from "quotewire/chart/history.js";
import {KeptView} from "quotewire/chart/kept_view.js";
import {LastPrice} from "quotewire/chart/last_price.js";
import {Legend} from "quotewire/chart/legend.js";
import {wordsOf} from "quotewire/chart/picture.js";
import {drop, followModel, placeOf} from "quotewire/chart/place.js";
import {Studies} from "quotewire/chart/studies.js";
import {Title, sameInfo} from "quotewire/chart/title.js";
import {Toolbar} from "quotewire/chart/toolbar.js";
import {Tools} from "quotewire/chart/tools.js";
import {expose} from "quotewire/debug.js";
import {h} from "quotewire/dom.js";
import {keys} from "quotewire/keys.js";
import {settings} from "quotewire/settings.js";
import {watchTheme} from "quotewire/theme.js";
import {viewRange} from "quotewire/view_range.js";
import {marketZone} from "quotewire/wording.js";

const AGE_MS = 1000;
/** What of the place makes it another chart. */
const CHOICES = /** @type {const} */ (["symbol", "interval", "compare", "indicators"]);

/** @typedef {import("../protocol.js").SymbolInfo} SymbolInfo */

export class Chart {
  #connection;
  #model;
  #place;
  #title = new Title();
  #legend = new Legend();
  #figure;
  #history;
  #kept;
  #comparison;
  #studies;
  #tools;
  #toolbar;
  #crosshair;
  #last;
  #absence;
  /** @type {SymbolInfo | null} */
  #info = null;
  #interval = "";
  #unsubscribe = () => {};

  /**
   * @param {import("../panel.d.ts").ElementContext} context
   * @param {import("../connection.js").Connection} connection
   * @param {(end: () => void) => void} until
   */
  constructor({model, view}, connection, until) {
    this.#connection = connection;
    this.#absence = new Absence(connection);
    this.#model = model;
    this.#place = placeOf(model.symbol, model.interval);
    this.#figure = new ChartFigure({model, view}, {
      onView: () => this.#viewed(),
      onMoved: () => this.#moved(),
      onMore: () => this.#fill(),
    });
    this.#history = new History(connection, this.#figure, () => this.#place.get("range"), () => this.#kept.go());
    this.#kept = new KeptView(this.#place, this.#figure, this.#history);
    this.#comparison = new Comparison(connection, this.#figure, (symbol) => drop(this.#place, "compare", symbol));
    this.#studies = new Studies(connection, this.#figure, {
      onChange: () => this.#compute(),
      onEdit: (spec) => this.#tools.edit(spec, this.#toolbar.button("add-indicator")),
      onRemove: (spec) => drop(this.#place, "indicators", spec),
    });
    this.#crosshair = new Crosshair(this.#figure, () => this.#describe());
    this.#last = new LastPrice(this.#figure);
    this.#tools = new Tools({
      connection, place: this.#place, figure: this.#figure, catalog: this.#studies.catalog,
      words: () => wordsOf(this.#info, this.#subject, this.#figure.bars.at(), this.#legend.text),
      computed: () => this.#studies.keys,
    });
    this.#toolbar = new Toolbar(this.#place, this.#tools.list, until);
    this.element = this.#build();
    this.#listen(view, until);
    until(expose("chart", () => this.#facts()));
  }

  #build() {
    const {element} = this.#figure;
    element.append(this.#kept.element, this.#history.element, ...this.#absence.elements);
    element.tabIndex = 0;
    element.setAttribute("role", "group");
    element.setAttribute("aria-label", "Bars. Arrows go from one to another, with Shift they pan, + and − zoom.");
    return h("section", {class: "card", "aria-label": "Chart", "data-testid": "chart"},
      ...(this.#model.titled ? [this.#title.element] : []), this.#toolbar.element, this.#legend.element, element,
      ...this.#tools.elements);
  }

  /** @param {import("../panel.d.ts").View} view @param {(end: () => void) => void} until */
  #listen(view, until) {
    const connection = this.#connection;
    const aging = setInterval(() => this.#age(), AGE_MS);
    until(() => clearInterval(aging));
    until(() => this.#unsubscribe());
    const parts = [this.#comparison, this.#history, this.#kept, this.#studies, this.#tools];
    for (const part of parts) until(() => part.end());
    until(() => this.#tellView(null));
    until(this.#figure.watch());
    until(watchTheme(view, () => this.#paintSoon()));
    until(settings.onChange(() => this.#paintSoon()));
    until(connection.onSymbols(() => this.#choose()));
    for (const name of CHOICES) until(this.#place.on(name, () => this.#choose()));
    until(this.#place.on("kind", () => this.#paintSoon()));
    until(this.#place.on("scale", () => this.#scale()));
    until(this.#place.on("range", () => this.#history.showRange()));
    until(this.#place.on("at", () => this.#kept.changed()));
    if (this.#place !== address) until(followModel(this.#model, this.#place));
    until(connection.onState(() => this.#showHealth()));
    until(connection.onStatus(() => this.#showHealth()));
    until(keys.on("g", "Go live", () => this.#kept.leave()));
  }

  get #symbol() {
    return this.#place.get("symbol") ?? "";
  }

  get #zone() {
    return marketZone(this.#info?.zone);
  }

  get #subject() {
    return {decimals: this.#info?.decimals ?? 2, interval: this.#interval, zone: this.#zone};
  }

  /** The figure stays; what it shows is another symbol's, or in other bars. */
  #choose() {
    const info = this.#connection.symbols?.get(this.#symbol) ?? null;
    const interval = this.#place.get("interval");
    const same = sameInfo(info, this.#info) && interval === this.#interval;
    this.#info = info;
    this.#interval = interval;
    this.#showHealth();
    if (!same) this.#begin();
    if (info) this.#studies.show(this.#place.get("indicators"), info.symbol);
    this.#compare();
  }

  #begin() {
    const {symbol = "", decimals = 2} = this.#info ?? {};
    const subject = this.#subject;
    this.#unsubscribe();
    this.#figure.begin(subject);
    this.#tellView(null); // until the first of its bars are drawn
    this.#studies.begin(decimals);
    this.#title.begin(this.#info);
    this.#legend.begin(subject);
    this.#crosshair.begin(subject);
    this.#kept.begin();
    this.#history.begin(symbol, this.#interval, this.#studies.keys, subject.zone);
    this.#last.show(null);
    this.#tools.begin(symbol, decimals);
    this.#describe();
    this.#explain();
    if (this.#info) this.#subscribe(symbol);
  }

  /** @param {string} symbol */
  #subscribe(symbol) {
    const stops = [
      this.#connection.subscribeQuotes([symbol], ([quote]) => {
        this.#title.showQuote(quote);
        this.#last.show(quote.last);
      }),
      this.#bars(symbol),
    ];
    this.#unsubscribe = () => stops.splice(0).forEach((stop) => stop());
  }

  /** @param {string} symbol */
  #bars(symbol) {
    return this.#connection.subscribeBars(symbol, this.#interval, (bars, change) => {
      this.#history.take(bars, change);
      this.#explain();
    }, {indicators: this.#studies.keys});
  }

  /** The new ones are asked for before the old ones are let go, so that the bars are kept. */
  #compute() {
    this.#describeBeside();
    if (!this.#info) return;
    const before = this.#unsubscribe;
    this.#subscribe(this.#info.symbol);
    before();
    this.#history.compute(this.#studies.keys);
    this.#paintSoon();
  }

  /** There is more to draw with. */
  #fill() {
    this.#studies.fillPanes();
    this.#describeBeside();
    this.#paintSoon();
  }

  #compare() {
    const has = (/** @type {string} */ symbol) => this.#connection.symbols?.has(symbol) ?? false;
    const others = this.#info ? comparable(this.#place.get("compare"),
      {own: this.#symbol, has, room: this.#figure.compared.room}) : [];
    if (this.#comparison.show(others, this.#interval)) this.#paintSoon();
    this.#describeBeside();
    this.#scale();
  }

  /** Symbols are compared in percent. */
  #scale() {
    const compares = this.#comparison.entries.length > 0;
    const scale = compares ? "percent" : this.#place.get("scale");
    this.#figure.scale = scale;
    this.#toolbar.markScale(scale, compares);
  }

  #describeBeside() {
    this.#legend.list([...this.#comparison.entries, ...this.#studies.entries]);
    this.#describe();
  }

  /** What the bar at the pointer says, or else the newest. */
  #describe() {
    const {bars, view} = this.#figure;
    const x = this.#crosshair?.x ?? bars.extent.end - 1;
    const bar = bars.at(x);
    this.#legend.showBar(bar, x > bars.extent.first ? bars.at(Math.min(x, bars.extent.end - 1) - 1) : null);
    this.#studies.describe(bar);
    this.#comparison.describe(bar, view.bars[0]);
  }

  /** Other bars are in view, or the same look otherwise. */
  #viewed() {
    this.#kept.viewed();
    this.#last.draw();
    this.#crosshair.draw();
    this.#tools.draw();
    this.#describe();
    const {bars} = this.#figure.view;
    this.#tellView(bars);
    this.#history.viewed();
    if (bars.length) this.#comparison.reach(this.#figure.bars.all[0].start_ms);
  }

  /** By the user. */
  #moved() {
    this.#place.set({range: ""});
    this.#kept.moved();
  }

  /** For what else the page says of them. @param {readonly import("../core/bars.js").Bar[] | null} bars null: none */
  #tellView(bars) {
    if (this.#place !== address) return;
    viewRange.tell(bars && {symbol: this.#info?.symbol ?? "", ...this.#subject, bars});
  }

  /** Colours are of the stylesheet, which knows of a change by the next frame. */
  #paintSoon() {
    requestAnimationFrame(() => {
      if (!this.element.isConnected) return;
      const colours = readColours(this.element);
      this.#figure.dress(this.#place.get("kind"), colours);
      this.#figure.compared.paint(colours.series, colourOf);
      this.#figure.tellIn(this.#zone);
      this.#legend.begin(this.#subject);
      this.#crosshair.begin(this.#subject);
    });
  }

  /** Say in words why there is no chart. */
  #explain() {
    const asked = {symbol: this.#symbol, interval: this.#interval, known: this.#info !== null};
    this.#absence.explain(asked, this.#figure.bars.at() !== null);
  }

  /** What changes without a bar: ages, and what cannot be loaded. */
  #age() {
    this.#showHealth();
    this.#describe();
  }

  /** Old prices stay, dimmed, with their age. */
  #showHealth() {
    this.#explain();
    const {state, age_ms} = this.#info
      ? this.#connection.freshness(this.#info.symbol) : {state: "unknown", age_ms: null};
    const stale = state === "stale" && this.#figure.bars.at() !== null;
    this.element.toggleAttribute("data-stale", stale);
    this.#title.showAge(stale ? age_ms : null);
  }

  #facts() {
    return {
      symbol: this.#info?.symbol ?? null,
      interval: this.#interval,
      older: this.#history.state,
      ...factsOf(this.#figure),
    };
  }
}
