/** The indicators of a chart: which are wanted, where they are drawn, and what the legends say. */

import {LegendEntry} from "quotewire/chart/legend.js";
import {IndicatorCatalog} from "quotewire/chart/indicator_catalog.js";
import {valueOf} from "quotewire/chart/indicator_lines.js";
import {plan} from "quotewire/chart/indicator_plan.js";
import {NOTHING, formatPrice} from "quotewire/format.js";
import {toast} from "quotewire/toasts.js";

/**
 * @typedef {import("../core/bars.js").Bar} Bar
 * @typedef {import("./indicator_plan.js").Group} Group
 * @typedef {import("./indicator_catalog.js").Wanted} Wanted
 * @typedef {{entry: LegendEntry, group: Group, pane: number | null}} Shown
 *
 * @typedef {object} Handlers
 * @property {() => void} onChange others are to be computed
 * @property {(spec: string) => void} onEdit
 * @property {(spec: string) => void} onRemove
 */

export class Studies {
  /** @type {string[]} as the feed names those that are drawn */
  keys = [];
  catalog;
  #figure;
  #handlers;
  /** @type {Shown[]} */
  #shown = [];
  #run = 0;
  #decimals = 2;

  /**
   * @param {import("../connection.js").Connection} connection
   * @param {import("./figure.js").ChartFigure} figure
   * @param {Handlers} handlers
   */
  constructor(connection, figure, handlers) {
    this.catalog = new IndicatorCatalog((...asked) => connection.ask(...asked));
    this.#figure = figure;
    this.#handlers = handlers;
  }

  /** Entries for the row over the figures. */
  get entries() {
    return this.#shown.filter(({pane}) => pane === null).map(({entry}) => entry);
  }

  /** @param {number} decimals of the instrument */
  begin(decimals) {
    this.#decimals = decimals;
  }

  /** Draw these. @param {string[]} specs @param {string} symbol any that the feed has */
  async show(specs, symbol) {
    const run = (this.#run += 1);
    /** @type {Wanted[]} */
    let wanted = [];
    if (specs.length) {
      try {
        wanted = await this.#accepted(specs, symbol, run);
      } catch {
        if (run === this.#run) this.#run += 1; // the feed is away: it is tried again with its symbols
        return;
      }
    }
    if (run === this.#run) this.#lay(wanted);
  }

  /** @param {string[]} specs @param {string} symbol @param {number} run of which the last one tells */
  async #accepted(specs, symbol, run) {
    const found = await Promise.all(specs.map(async (spec) => {
      const wanted = await this.catalog.find(spec);
      const fault = wanted ? await this.catalog.refusal(wanted.key, symbol)
        : `This feed has no indicator “${spec}”.`;
      if (fault && run === this.#run) {
        toast(fault, {tone: "warn"});
        this.#handlers.onRemove(spec);
      }
      return fault ? null : wanted;
    }));
    /** @type {Map<string, Wanted>} */
    const byKey = new Map(found.flatMap((wanted) => (wanted ? [[wanted.key, wanted]] : [])));
    return [...byKey.values()];
  }

  /** @param {Wanted[]} wanted */
  #lay(wanted) {
    const {overlays, supply, bars} = this.#figure;
    const made = plan(wanted, supply.room);
    for (const spec of made.refused) {
      toast(`There is no room for ${spec}: remove another indicator.`, {tone: "warn"});
      this.#handlers.onRemove(spec);
    }
    const drawn = [...made.overlays, ...made.panes];
    this.keys = drawn.map(({key}) => key);
    overlays.show(made.overlays.flatMap(({lines}) => lines));
    bars.redraw(overlays.table);
    this.#shown = drawn.map((group, i) => this.#entry(group, i - made.overlays.length));
    this.fillPanes();
    supply.want({panes: made.panes.length, ...used(made.overlays)});
    this.#handlers.onChange();
  }

  /** Those that are there; others are filled when they come. */
  fillPanes() {
    const {panes, bars} = this.#figure;
    panes.all.forEach(({element, legend, lines}, i) => {
      const shown = this.#shown.find(({pane}) => pane === i);
      lines.show(shown?.group.lines ?? []);
      element.hidden = !shown;
      legend.replaceChildren(...(shown ? [shown.entry.element] : []));
      bars.redraw(lines.table);
    });
  }

  /** @param {Group} group @param {number} pane below 0: over the prices @returns {Shown} */
  #entry(group, pane) {
    const {key, spec, title, lines} = group;
    const entry = new LegendEntry({
      name: key, title, colours: lines.map(({colour}) => `var(--series-${colour + 1})`),
      onEdit: () => this.#handlers.onEdit(spec), onRemove: () => this.#handlers.onRemove(spec),
    }, `indicator-${key}`);
    return {entry, group, pane: pane < 0 ? null : pane};
  }

  /** Nothing is drawn any more, whatever is still under way. */
  end() {
    this.#run += 1;
  }

  /** Values of all at a bar. @param {Bar | null} bar */
  describe(bar) {
    for (const {entry, group, pane} of this.#shown) {
      entry.show(group.lines.map((line) => {
        const value = bar ? valueOf(bar, line) : NaN;
        if (!Number.isFinite(value)) return NOTHING;
        return pane === null ? formatPrice(value, this.#decimals) : short(value);
      }));
    }
  }
}

/** Five digits tell enough. @param {number} value */
function short(value) {
  const size = Math.abs(value);
  const digits = size >= 10_000 || size === 0 ? 0 : Math.max(0, Math.min(10, 4 - Math.ceil(Math.log10(size))));
  return formatPrice(value, digits);
}

/** Lines and dots that are drawn over the prices. @param {Group[]} overlays */
function used(overlays) {
  const styles = overlays.flatMap(({lines}) => lines.map(({style}) => style));
  const count = (/** @type {string} */ style) => styles.filter((each) => each === style).length;
  return {lines: count("line"), dots: count("dots")};
}
