/** Dates under the chart. Their labels are text of the page: a pan lays out no figure anew. */

import {dateTicks} from "quotewire/chart/date_ticks.js";
import {h, setText} from "quotewire/dom.js";
import {zoneOffset} from "quotewire/zone.js";

const APART_PX = 62;
const HALF_PX = 22; // a label nearer to an end would be cut

export class DateStrip {
  element = h("div", {class: "dates", "aria-hidden": "true"});
  /** @type {HTMLElement[]} */
  #labels = [];
  #known = "";
  /** @type {{x: number, label: string, major: boolean}[]} */
  #ticks = [];

  /** What is written now. @returns {string[]} */
  get texts() {
    return this.#labels.filter(({hidden}) => !hidden).map(({textContent}) => textContent ?? "");
  }

  /**
   * @param {readonly import("../core/bars.js").Bar[]} bars in view
   * @param {number} first the x of the first one
   * @param {{start: number, end: number, width: number, interval: string, zone: string}} view width of
   *   the frame in pixels
   */
  draw(bars, first, {start, end, width, interval, zone}) {
    const apart = Math.max(1, Math.ceil((APART_PX / width) * (end - start)));
    const known = [first, bars.length, bars[0]?.start_ms, apart, interval, zone].join();
    if (known !== this.#known) {
      this.#known = known;
      const ticks = dateTicks(bars.map(({start_ms}) => start_ms), apart, {
        daily: interval === "1d", offset: (ms) => zoneOffset(zone, ms),
      });
      this.#ticks = ticks.map(({index, ...tick}) => ({x: first + index, ...tick}));
    }
    const toPx = (/** @type {number} */ x) => ((x - start) / (end - start)) * width;
    const placed = this.#ticks.map((tick) => ({...tick, px: toPx(tick.x)}));
    this.#write(placed.filter(({px}) => px > HALF_PX && px < width - HALF_PX));
  }

  /** @param {{px: number, label: string, major: boolean}[]} placed */
  #write(placed) {
    while (this.#labels.length < placed.length) {
      const label = h("span");
      this.#labels.push(label);
      this.element.append(label);
    }
    this.#labels.forEach((label, i) => {
      const tick = placed[i];
      label.hidden = !tick;
      if (!tick) return;
      setText(label, tick.label);
      label.style.left = `${tick.px.toFixed(1)}px`;
      label.toggleAttribute("data-major", tick.major);
    });
  }
}
