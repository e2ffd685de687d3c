/** What an address tells that is not there, in words. Pure. */

import {unread} from "quotewire/address.js";
import {columnOf} from "quotewire/market/columns.js";

/** @typedef {import("./address.js").Place} Place */
/** @typedef {{name: keyof Place, text: string}} Strange */

/** @type {Record<keyof Place, string>} */
const WHAT = {
  page: "page", symbol: "symbol", interval: "interval", range: "range", kind: "kind of chart",
  scale: "scale", indicators: "indicator", compare: "symbol", at: "window of time", lines: "price",
  watchlist: "watchlist", view: "view", sort: "column", find: "text", columns: "column", size: "size of tiles",
};
/** Of more only the number is told; and of a long one the beginning. */
const MOST = 4;
const LONGEST = 40;

/** @param {string} search of an address @returns {Strange[]} */
export function strangeIn(search) {
  const told = new URLSearchParams(search);
  const sort = {name: /** @type {const} */ ("sort"), text: told.get("sort")?.replace("-", "") ?? ""};
  const columns = (told.get("columns") ?? "").split(";").map((text) => ({name: /** @type {const} */ ("columns"), text}));
  const unknown = [sort, ...columns].filter(({text}) => /^\w{1,24}$/.test(text) && !columnOf(text));
  return [...unread(search), ...unknown];
}

/** The place without the columns that are not there. @param {Pick<Place, "sort" | "columns">} place */
export function withoutStrange({sort, columns}) {
  return {sort: columnOf(sort.replace("-", "")) ? sort : "", columns: columns.filter((name) => columnOf(name))};
}

/** @param {readonly Strange[]} strange not empty @returns {string} a sentence */
export function strangeWords(strange) {
  const each = strange.slice(0, MOST).map(({name, text}) =>
    `no ${WHAT[name]} “${text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text}”`);
  if (strange.length > MOST) each.push(`${strange.length - MOST} more that are not there`);
  const last = each.pop() ?? "";
  return `There is ${each.length ? `${each.join(", ")} and ${last}` : last}.`;
}
