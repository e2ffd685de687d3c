/**
 * Bars in a Bokeh data source. The x of a bar is its number, counted from the first one drawn.
 *
 * Nothing goes back to Python: the page's own copy is the only one that is kept up.
 */

/** Bars in the figure; the oldest roll over. */
const MOST = 2000;
/** @type {("start_ms" | "open" | "high" | "low" | "close" | "volume")[]} */
const VALUES = ["start_ms", "open", "high", "low", "close", "volume"];
/** @type {import("./panel.d.ts").Here} */
const HERE = {sync: false};

/** @typedef {import("./core/bars.js").Bar} Bar */
/** @typedef {Pick<Bar, "start_ms" | "open" | "high" | "low" | "close" | "volume">} Drawn */

export class BarSource {
  #source;
  #count = 0;

  /** @param {import("./panel.d.ts").ColumnDataSource} source */
  constructor(source) {
    this.#source = source;
  }

  /**
   * Draw these bars instead of what is there.
   *
   * @param {readonly Bar[]} bars
   * @returns {number | null} by how much the bar that was the last one is numbered higher now, null
   *   where it is no more
   */
  draw(bars) {
    const before = this.at();
    const x = this.#count - 1;
    const drawn = bars.slice(-MOST);
    this.#count = 0;
    this.#source.setv({data: this.#columns(drawn)}, HERE);
    const found = drawn.findLastIndex(({start_ms}) => start_ms === before?.start_ms);
    return found < 0 ? null : found - x;
  }

  /** Draw what changed. @param {readonly Bar[]} bars @param {number} since_ms */
  update(bars, since_ms) {
    let from = bars.length;
    while (from > 0 && bars[from - 1].start_ms >= since_ms) from -= 1;
    const fresh = bars.slice(from);
    const last_ms = this.#column("start_ms").at(-1) ?? -Infinity;
    for (const bar of fresh) if (bar.start_ms <= last_ms) this.#patch(bar);
    const opened = fresh.filter(({start_ms}) => start_ms > last_ms);
    if (opened.length) this.#source.stream(this.#columns(opened), MOST, HERE);
  }

  clear() {
    this.draw([]);
  }

  /** First x that is drawn, and one past the last. */
  get extent() {
    return {first: this.#count - this.#column("x").length, end: this.#count};
  }

  /** @returns {Drawn | null} the bar at or nearest to an x, the last without one */
  at(x = this.#count - 1) {
    const {first, end} = this.extent;
    if (end === first) return null;
    const i = Math.max(first, Math.min(end - 1, Math.round(x))) - first;
    const values = VALUES.map((name) => [name, this.#column(name)[i]]);
    return /** @type {Drawn} */ (Object.fromEntries(values));
  }

  /**
   * Columns of the bars between two x.
   *
   * @param {number} from
   * @param {number} to
   * @returns {Record<string, number[]>}
   */
  between(from, to) {
    const {first, end} = this.extent;
    const low = Math.max(0, Math.ceil(from) - first);
    const high = Math.max(low, Math.min(end, Math.floor(to) + 1) - first);
    const cut = (/** @type {string} */ name) => this.#column(name).slice(low, high);
    return Object.fromEntries(["x", ...VALUES].map((name) => [name, cut(name)]));
  }

  /** @param {string} name */
  #column(name) {
    return this.#source.data[name] ?? this.#source.data.get?.(name) ?? [];
  }

  /** @param {readonly Bar[]} bars @returns {Record<string, unknown[]>} */
  #columns(bars) {
    const first = this.#count;
    this.#count += bars.length;
    return {
      x: bars.map((_, i) => first + i),
      direction: bars.map(directionOf),
      ...Object.fromEntries(VALUES.map((name) => [name, bars.map((bar) => bar[name])])),
    };
  }

  /** @param {Bar} bar */
  #patch(bar) {
    const starts = this.#column("start_ms");
    const i = starts.lastIndexOf(bar.start_ms);
    if (i < 0) return; // rolled over
    /** @type {Record<string, [number, unknown][]>} */
    const patches = {direction: [[i, directionOf(bar)]]};
    for (const name of VALUES) patches[name] = [[i, bar[name]]];
    this.#source.patch(patches, HERE);
  }
}

/** A bar that closed where it opened counts as up. @param {Bar} bar */
function directionOf({open, close}) {
  return close >= open ? "up" : "down";
}
