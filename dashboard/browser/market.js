/** The live market, as an element of a page. */

import {mount} from "quotewire/live.js";
import {MarketPage} from "quotewire/market/page.js";

/** @param {import("./panel.d.ts").ElementContext} context */
export function render(context) {
  return mount(context, (connection, until) => new MarketPage(connection, until).element);
}
