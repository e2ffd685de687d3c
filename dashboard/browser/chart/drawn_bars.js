/**
 * The bars of a chart. The x of a bar is its number, counted from the first one.
 *
 * The figures have those in view, and some to either side: with each change they go through all that
 * they have. A bar that forms is patched, a new one is appended.
 */

/** Bars of a chart; the oldest roll over. */
export const MOST = 6000;
/** To either side of the view as many again as are in it, and at least so many. */
const LEAST_BESIDE = 200;
/** How often the bars beside the view may be there before those far away are let go. */
const MOST_BESIDE = 4;
/** More than these are drawn anew rather than patched. */
const MOST_PATCHED = 40;

/** @typedef {import("../core/bars.js").Bar} Bar */
/** @typedef {import("./bar_table.js").BarTable} BarTable */

export class DrawnBars {
  /** @type {Bar[]} */
  #bars = [];
  #first = 0;
  /** Of those in the figures: the place of the first, and one past that of the last. */
  #drawn = {from: 0, to: 0};
  #tables;

  /** @param {BarTable[]} tables what they are drawn into */
  constructor(tables) {
    this.#tables = tables;
  }

  /** @returns {readonly Bar[]} oldest first */
  get all() {
    return this.#bars;
  }

  /** First x that is drawn, and one past the last. */
  get extent() {
    return {first: this.#first, end: this.#first + this.#bars.length};
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
    const [first, place] = [this.#first, this.#bars.length - 1];
    this.#bars = bars.slice(-MOST);
    this.#first = 0;
    const found = before ? this.placeOf(before.start_ms) : null;
    this.#drawn = found === null ? this.#newest() : this.#moved(found - place);
    for (const table of this.#tables) this.redraw(table);
    return found === null ? null : found - (first + place);
  }

  /** Have all bars between two x in the figures. @param {number} from @param {number} to */
  look(from, to) {
    const low = Math.max(0, Math.floor(from) - this.#first);
    const high = Math.min(this.#bars.length, Math.ceil(to) + 1 - this.#first);
    if (low >= high) return;
    const beside = Math.max(LEAST_BESIDE, high - low);
    const {from: first, to: end} = this.#drawn;
    const isTooMuch = end - first > high - low + MOST_BESIDE * beside;
    if (low >= first && high <= end && !isTooMuch) return;
    this.#drawn = {from: Math.max(0, low - beside), to: Math.min(this.#bars.length, high + beside)};
    for (const table of this.#tables) this.redraw(table);
  }

  /** Draw them into one more from the next time on. @param {BarTable} table */
  add(table) {
    this.#tables.push(table);
  }

  /** Draw one table anew, for its columns changed. @param {BarTable} table */
  redraw(table) {
    table.draw(this.#bars, this.#first, this.#drawn);
  }

  /** Draw what changed. @param {readonly Bar[]} bars @param {number} since_ms */
  update(bars, since_ms) {
    let from = bars.length;
    while (from > 0 && bars[from - 1].start_ms >= since_ms) from -= 1;
    const last_ms = this.at()?.start_ms ?? -Infinity;
    /** @type {Set<number>} */
    const places = new Set();
    const opened = [];
    for (const bar of bars.slice(from)) {
      if (bar.start_ms > last_ms) opened.push(bar);
      else this.#replace(bar, places);
    }
    if (places.size > MOST_PATCHED) for (const table of this.#tables) this.redraw(table);
    else for (const table of this.#tables) this.#patch(table, [...places]);
    if (opened.length) this.#append(opened);
  }

  /** Draw the newest bar again in one table. @param {BarTable} table */
  patchLast(table) {
    if (this.#bars.length) this.#patch(table, [this.#bars.length - 1]);
  }

  clear() {
    this.draw([]);
  }

  /** @returns {Bar | null} the bar at or nearest to an x, the last without one */
  at(x = this.extent.end - 1) {
    const place = Math.max(0, Math.min(this.#bars.length - 1, Math.round(x) - this.#first));
    return this.#bars[place] ?? null;
  }

  /** The bars between two x. @param {number} from @param {number} to */
  between(from, to) {
    const low = Math.max(0, Math.ceil(from) - this.#first);
    const high = Math.max(low, Math.min(this.#bars.length, Math.floor(to) + 1 - this.#first));
    return {bars: this.#bars.slice(low, high), first: this.#first + low};
  }

  /** @param {number} start_ms @returns {number | null} of the bar that starts there, null where none does */
  xOf(start_ms) {
    const place = this.placeOf(start_ms);
    return place === null ? null : this.#first + place;
  }

  /** Of the first bar that starts there or later, or else of the last. @param {number} start_ms */
  xFrom(start_ms) {
    return this.#first + Math.min(this.#bars.length - 1, this.#placeFrom(start_ms));
  }

  /** @param {number} start_ms @returns {number | null} null where no bar starts there */
  placeOf(start_ms) {
    const place = this.#placeFrom(start_ms);
    return this.#bars[place]?.start_ms === start_ms ? place : null;
  }

  /** @param {number} start_ms */
  #placeFrom(start_ms) {
    let [low, high] = [0, this.#bars.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#bars[middle].start_ms < start_ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * What is drawn of a bar may depend on the one before.
   *
   * @param {Bar} bar
   * @param {Set<number>} places takes note of those that changed
   */
  #replace(bar, places) {
    const place = this.placeOf(bar.start_ms);
    if (place === null) return; // rolled over
    this.#bars[place] = bar;
    places.add(place);
    if (place + 1 < this.#bars.length) places.add(place + 1);
  }

  /** @param {BarTable} table @param {number[]} places */
  #patch(table, places) {
    const {from, to} = this.#drawn;
    table.patch(this.#bars, places.filter((place) => place >= from && place < to), from);
  }

  /** @param {Bar[]} opened */
  #append(opened) {
    const place = this.#bars.length;
    const x = this.extent.end;
    this.#bars.push(...opened);
    const isNewest = this.#drawn.to === place;
    if (isNewest) {
      for (const table of this.#tables) table.stream(this.#bars, place, x, MOST);
      this.#drawn.to = this.#bars.length;
    }
    const over = this.#bars.length - MOST;
    if (over <= 0) return;
    this.#bars.splice(0, over);
    this.#first += over;
    const isGone = !isNewest && this.#drawn.from < over; // some that are drawn, with no new ones in their place
    this.#drawn = this.#moved(-over);
    if (isGone) for (const table of this.#tables) this.redraw(table);
  }

  #newest() {
    return {from: Math.max(0, this.#bars.length - 2 * LEAST_BESIDE), to: this.#bars.length};
  }

  /** The same bars, which have other places now. @param {number} by */
  #moved(by) {
    const {from, to} = this.#drawn;
    return {from: Math.max(0, from + by), to: Math.max(0, Math.min(this.#bars.length, to + by))};
  }
}
