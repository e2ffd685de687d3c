/**
 * What part of the bars is in view.
 *
 * The newest bars are in view until the user pans away, and again from `goLive` on.
 */

const VISIBLE_BARS = 120;
const FEWEST_BARS = 15;
/** Empty bars' worth of room right of the newest. */
const ROOM = 3;
/** A bar is not drawn narrower than this, unless the user zooms out. */
const BAR_WIDTH_PX = 5;

/** @typedef {import("../panel.d.ts").Range} Range */

export class Viewport {
  following = true;
  #range;
  #bars;
  #width;
  #onView;
  #onMoved;
  #ours = false;

  /**
   * @param {Range} range of x
   * @param {import("./drawn_bars.js").DrawnBars} bars
   * @param {object} handlers
   * @param {() => number} handlers.width of the frame, in pixels
   * @param {() => void} handlers.onView another part is in view, or the same bars look otherwise
   * @param {() => void} handlers.onMoved the user moved it
   */
  constructor(range, bars, {width, onView, onMoved}) {
    this.#range = range;
    this.#bars = bars;
    this.#width = width;
    this.#onView = onView;
    this.#onMoved = onMoved;
  }

  get start() {
    return this.#range.start;
  }

  get end() {
    return this.#range.end;
  }

  /** Call on each change of the range of x. */
  moved() {
    if (this.#ours) return;
    this.following = this.end >= this.#bars.extent.end - 1;
    this.#onMoved();
    this.#onView();
  }

  /** The newest bars, in the usual number. */
  home() {
    const room = Math.floor(this.#width() / BAR_WIDTH_PX);
    const bars = Math.min(VISIBLE_BARS, Math.max(FEWEST_BARS, room));
    this.#follow(this.#liveEnd - bars - ROOM);
  }

  /** From a bar on to the newest. @param {number} x */
  from(x) {
    this.#follow(Math.min(x - 0.5, this.#liveEnd - FEWEST_BARS));
  }

  /** Back to the newest bars, as wide as the view is. */
  goLive() {
    this.#follow(this.#liveEnd - (this.end - this.start));
  }

  /** As the user would. @param {number} start @param {number} end */
  move(start, end) {
    const {first} = this.#bars.extent;
    const width = Math.max(FEWEST_BARS, Math.min(end - start, this.#liveEnd - first + 2 * ROOM));
    const from = Math.max(first - ROOM, Math.min(start, this.#liveEnd + ROOM - width));
    this.#set({start: from, end: from + width});
    this.moved();
  }

  /** What a link tells, and not the user. @param {number} start @param {number} end */
  show(start, end) {
    this.following = end >= this.#bars.extent.end - 1;
    this.#set({start, end, bounds: this.#bounds});
    this.#onView();
  }

  /** Call after all bars were drawn anew: the same ones stay in view. @param {number} by */
  renumbered(by) {
    const {start, end} = this.#range;
    if (this.following) this.#follow(this.#liveEnd - (end - start));
    else this.#set({start: start + by, end: end + by, bounds: this.#bounds});
    this.#onView();
  }

  /** Call after bars were drawn. */
  barsChanged() {
    if (this.following && this.#liveEnd > this.end) this.goLive();
    else this.#onView();
  }

  get #liveEnd() {
    return this.#bars.extent.end - 1 + ROOM;
  }

  get #bounds() {
    return [this.#bars.extent.first - ROOM, this.#liveEnd + ROOM];
  }

  /** @param {number} start */
  #follow(start) {
    this.following = true;
    this.#set({start, end: this.#liveEnd, bounds: this.#bounds});
    this.#onView();
  }

  /** @param {object} values */
  #set(values) {
    this.#ours = true;
    this.#range.setv(values, {sync: false});
    this.#ours = false;
  }
}
