/**
 * One series of bars: what is held, and which final bars were told. Pure.
 *
 * Twin of `dashboard/client/core/bar_series.py`.
 *
 * @typedef {import("./bars.js").Bar} Bar
 * @typedef {import("./trades.js").Lost} Lost
 *
 * @typedef {object} Told what comes of some bars beside what they changed
 * @property {Bar[]} finals bars that became final
 * @property {boolean} needs_history whether history has to mend a gap
 * @property {Lost | null} lost why some around `finals` are missing for good
 *
 * @typedef {object} Placed what some bars changed
 * @property {boolean} reset whether one went in before others
 * @property {number | null} since_ms start of the earliest that changed; null where none did
 */

import {compareBars, mergedValues} from "quotewire/core/bars.js";

/** @type {Told} */
export const NOTHING = Object.freeze({finals: [], needs_history: false, lost: null});

/** One symbol's bars of one interval, in one epoch. */
export class Series {
  /** @type {Bar[]} in order of their start, each start once */
  bars = [];
  /** @type {number | null} where the client stands in the epoch; null where it does not know */
  offset = null;
  /** Whether a link tells every final bar. */
  live = false;
  /** Whether the history before the live bars is held. */
  is_loaded = false;
  /** @type {number | null} the first bar that could still change when history was told last */
  filled_ms = null;
  /** @type {number | null} up to which start final bars were told; null where it is not known */
  told_ms = null;
  /** @type {number | null} how far history has to reach to mend the open gap; null for none */
  gap_end = null;
  /** Whether the gap is between two epochs. */
  is_anew = false;
  #counts;

  /**
   * @param {string} epoch empty while the feed itself keeps nothing
   * @param {import("./latency.js").Counts} counts where bars and gaps are counted
   */
  constructor(epoch, counts) {
    this.epoch = epoch;
    /** The epoch that pushes without one are of. */
    this.pushed = epoch;
    this.#counts = counts;
  }

  /**
   * The series as it begins in another epoch: without bars, and with a gap. Bars go by their start,
   * so that those of the new epoch can go on where the old one ended.
   *
   * @param {string} epoch
   */
  renewed(epoch) {
    if (this.gap_end === null) this.#counts.gaps += 1;
    const next = new Series(epoch, this.#counts);
    next.told_ms = this.told_ms;
    next.gap_end = 0;
    next.is_anew = true;
    return next;
  }

  /** @returns {number | null} from which history has to be asked for; null where not known */
  resumeFrom() {
    // The last bar that was told comes again: that it is there shows that none is missing.
    if (!this.is_loaded || this.filled_ms === null) return this.told_ms;
    return this.told_ms === null ? this.filled_ms : Math.min(this.filled_ms, this.told_ms);
  }

  /**
   * Take accounts of bars. History repeats what is held by its nature, a push should not.
   *
   * @param {Bar[]} bars
   * @param {{history?: boolean}} [options]
   * @returns {Placed}
   */
  put(bars, {history = false} = {}) {
    let reset = false;
    let since_ms = Infinity;
    for (const bar of bars) {
      const {index, found} = this.#place(bar.start_ms);
      if (!found) {
        reset ||= index < this.bars.length;
        this.bars.splice(index, 0, bar);
      } else if (!this.#replace(index, bar, history)) {
        continue;
      }
      since_ms = Math.min(since_ms, bar.start_ms);
    }
    return {reset, since_ms: since_ms === Infinity ? null : since_ms};
  }

  /**
   * Take another account of a bar.
   *
   * @param {number} index
   * @param {Bar} bar
   * @param {boolean} history
   * @returns {boolean} whether it changed anything
   */
  #replace(index, bar, history) {
    const held = this.bars[index];
    const order = compareBars(held, bar);
    if (order > 0) {
      this.bars[index] = bar;
      return true;
    }
    const values = order === 0 ? mergedValues(held, bar) : null;
    if (values) {
      this.bars[index] = {...held, indicators: values};
      return true;
    }
    if (!history) this.#counts[order === 0 ? "duplicates" : "late"] += 1;
    return false;
  }

  /**
   * @param {number} start_ms
   * @returns {{index: number, found: boolean}} where the bar is, or where it would go
   */
  #place(start_ms) {
    let low = 0;
    let high = this.bars.length;
    // Live bars are at the end: look there before halving.
    if (high && this.bars[high - 1].start_ms < start_ms) low = high;
    else if (high && this.bars[high - 1].start_ms === start_ms) low = high -= 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.bars[middle].start_ms < start_ms) low = middle + 1;
      else high = middle;
    }
    return {index: low, found: this.bars[low]?.start_ms === start_ms};
  }

  /** Whether to keep so few bars would drop some that were not told. @param {number} most */
  overflows(most) {
    const surplus = this.bars.length - most;
    return surplus > 0 && this.bars[surplus - 1].start_ms > (this.told_ms ?? 0);
  }

  /** Keep no more than the newest. @param {number} most */
  trim(most) {
    if (this.bars.length > most) this.bars.splice(0, this.bars.length - most);
  }

  /**
   * What comes of bars that were pushed, after `put`.
   *
   * @param {Bar[]} bars in order of their start
   * @param {number | null} offset where the client stands after them
   * @param {object} how
   * @param {boolean} how.is_new whether their epoch is
   * @param {boolean} how.recovered false where some before them may be missing
   * @returns {Told}
   */
  push(bars, offset, {is_new, recovered}) {
    this.live = true;
    const moves = offset !== null && (this.offset === null || offset > this.offset);
    const opens = is_new || (!recovered && moves && this.offset !== null);
    const lost = this.is_anew && (this.told_ms === null || this.#wentBack()) ? "epoch" : null;
    if (lost) {
      this.gap_end = this.told_ms = null;
      this.is_anew = false;
    } else if (opens) {
      if (this.gap_end === null) this.#counts.gaps += 1;
      this.gap_end = offset ?? 0;
    }
    if (moves) this.offset = offset;
    if (this.gap_end !== null) return {...NOTHING, needs_history: opens};
    return {...NOTHING, finals: this.#tell(bars), lost};
  }

  /**
   * What comes of history that reaches to the present, after `put`.
   *
   * @param {Bar[]} bars in order of their start
   * @param {number} offset where it ends
   * @param {number} covered_ms from which start on it has every bar
   * @returns {Told}
   */
  join(bars, offset, covered_ms) {
    const told_ms = this.told_ms;
    const joins = told_ms !== null && covered_ms <= told_ms + 1;
    let told = NOTHING;
    if (this.gap_end !== null) {
      if (offset < this.gap_end) return {...NOTHING, needs_history: true};
      told = this.close(joins);
    } else if (told_ms === null) {
      if (!this.live) this.#begin();
    } else if (this.live && !joins) {
      return told; // What lies between comes by the link.
    } else if (offset >= (this.offset ?? 0)) { // Else its final bars were told, or were given up.
      const lost = !joins && bars.length ? "gap" : null;
      if (lost) this.#counts.gaps += 1;
      told = {...NOTHING, finals: this.#tell(this.#finalsAfter(told_ms)), lost};
    }
    this.offset = Math.max(offset, this.offset ?? 0);
    if (bars.length) this.filled_ms = Math.max(unsettledFrom(bars), this.filled_ms ?? 0);
    return told;
  }

  /**
   * End the gap that is open: tell what is held from after it.
   *
   * @param {boolean} joins whether all from before it on is held, too
   * @returns {Told}
   */
  close(joins) {
    const is_anew = this.is_anew;
    this.gap_end = null;
    this.is_anew = false;
    // Where the new epoch has no bar from the last that was told on, it is at an earlier time.
    const went_back = is_anew && (!this.bars.length || this.#wentBack());
    if (this.told_ms === null || went_back) {
      this.#begin();
      return {...NOTHING, lost: is_anew ? "epoch" : "gap"};
    }
    const finals = this.#tell(this.#finalsAfter(this.told_ms));
    return {...NOTHING, finals, lost: joins ? null : "gap"};
  }

  /**
   * Those of some bars that are final and were not told; from now on they were.
   *
   * @param {Bar[]} bars
   */
  #tell(bars) {
    const finals = [];
    for (const bar of bars) {
      if (bar.final && (this.told_ms === null || bar.start_ms > this.told_ms)) {
        finals.push(bar);
        this.told_ms = bar.start_ms;
      }
    }
    if (this.told_ms === null && bars.length) this.told_ms = bars[0].start_ms - 1;
    return finals;
  }

  /** Begin to tell final bars: those held are no news, those that are open will be. */
  #begin() {
    const final = this.bars.filter((bar) => bar.final).at(-1);
    const first = this.bars[0];
    this.told_ms = final ? final.start_ms : first ? first.start_ms - 1 : null;
  }

  /** @param {number} start_ms */
  #finalsAfter(start_ms) {
    return this.bars.slice(this.#place(start_ms + 1).index).filter((bar) => bar.final);
  }

  /** Whether the new epoch is at an earlier time than the one before was. */
  #wentBack() {
    const last = this.bars.at(-1);
    return last !== undefined && last.start_ms < (this.told_ms ?? 0);
  }
}

/** @param {Bar[]} bars @returns {number} start of the first that may still change, or of the last */
function unsettledFrom(bars) {
  return (bars.find(({final}) => !final) ?? bars[bars.length - 1]).start_ms;
}
