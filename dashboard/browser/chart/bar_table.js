/**
 * Bars in one Bokeh data source, a column for each thing that is drawn of them.
 *
 * Nothing goes back to Python: the page's own copy is the only one that is kept up.
 */

/** @type {import("../panel.d.ts").Here} */
const HERE = {sync: false};

/** @typedef {import("../core/bars.js").Bar} Bar */
/** @typedef {(bar: Bar, before: Bar | undefined) => unknown} Column of a bar, and of the one before */

export class BarTable {
  #source;
  #names;
  /** @type {Record<string, Column>} */
  #columns = {};
  #drawn = false;

  /**
   * @param {import("../panel.d.ts").ColumnDataSource} source
   * @param {Record<string, Column>} [columns] by name; without any nothing is drawn
   */
  constructor(source, columns = {}) {
    this.#source = source;
    this.#names = namesOf(source).filter((name) => name !== "x");
    this.#columns = columns;
  }

  /** Draw others from the next `draw` on. @param {Record<string, Column>} columns */
  set columns(columns) {
    this.#columns = columns;
  }

  /**
   * @param {readonly Bar[]} bars all of them
   * @param {number} first x of the first one
   * @param {{from: number, to: number}} rows places of the first that is drawn, and past the last
   */
  draw(bars, first, {from, to}) {
    const empty = !Object.keys(this.#columns).length;
    if (empty && !this.#drawn) return;
    this.#drawn = !empty;
    this.#source.setv({data: this.#data(empty ? [] : bars.slice(0, to), from, first + from)}, HERE);
  }

  /**
   * @param {readonly Bar[]} bars all of them
   * @param {number[]} places of those that changed
   * @param {number} from place of the first that is drawn
   */
  patch(bars, places, from) {
    if (!this.#drawn || !places.length) return;
    /** @type {Record<string, [number, unknown][]>} */
    const patches = {};
    for (const [name, column] of Object.entries(this.#columns)) {
      patches[name] = places.map((i) => [i - from, column(bars[i], bars[i - 1])]);
    }
    this.#source.patch(patches, HERE);
  }

  /**
   * @param {readonly Bar[]} bars all of them
   * @param {number} from the first new one's place
   * @param {number} x the first new one's
   * @param {number} most bars kept; the oldest go
   */
  stream(bars, from, x, most) {
    if (this.#drawn) this.#source.stream(this.#data(bars, from, x), most, HERE);
  }

  /**
   * All columns of a source are of one length, also those that nothing is drawn by.
   *
   * @param {readonly Bar[]} bars
   * @param {number} from
   * @param {number} first
   */
  #data(bars, from, first) {
    /** @type {Record<string, unknown[]>} */
    const data = {x: []};
    for (const name of this.#names) data[name] = [];
    for (let i = from; i < bars.length; i += 1) {
      data.x.push(first + i - from);
      for (const name of this.#names) {
        data[name].push(this.#columns[name]?.(bars[i], bars[i - 1]) ?? NaN);
      }
    }
    return data;
  }
}

/** @param {import("../panel.d.ts").ColumnDataSource} source */
function namesOf({data}) {
  return data instanceof Map ? [...data.keys()] : Object.keys(data);
}
