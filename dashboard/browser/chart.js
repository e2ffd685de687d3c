/** The chart card: a symbol's bars, what is drawn beside them, and what is wrong if they are old. */

import {mount} from "quotewire/live.js";
import {Chart} from "quotewire/chart/card.js";

/** @param {import("./panel.d.ts").ElementContext} context */
export function render(context) {
  return mount(context, (connection, until) => new Chart(context, connection, until).element,
    {rewords: true});
}
