/** Where a chart keeps what it shows: in the page's address, or, with a symbol of its own, by itself. */

import {Address, address} from "quotewire/address.js";

/**
 * @param {string} symbol the chart's own; empty for the page's
 * @param {string} interval likewise
 * @returns {Address}
 */
export function placeOf(symbol, interval) {
  if (!symbol) return address;
  const told = new URLSearchParams({symbol, interval});
  const location = {search: `?${told}`, href: "about:blank"};
  return new Address(/** @type {any} */ ({location, addEventListener() {}}));
}

/**
 * Of a chart with a symbol of its own Python may change it.
 *
 * @param {import("../panel.d.ts").ElementModel} model
 * @param {Address} place
 * @returns {() => void} ends it
 */
export function followModel(model, place) {
  const follow = () => place.set({symbol: model.symbol, interval: model.interval});
  const names = ["symbol", "interval"];
  for (const name of names) model.on(name, follow);
  return () => names.forEach((name) => model.off(name, follow));
}

/** @param {Address} place @param {"compare" | "indicators"} name of a list @param {string} one goes from it */
export function drop(place, name, one) {
  place.set({[name]: place.get(name).filter((other) => other !== one)});
}
