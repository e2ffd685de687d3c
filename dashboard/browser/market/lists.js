/** Which of the user's named lists is shown, and what is in it. */

import {address} from "quotewire/address.js";
import {settings} from "quotewire/settings.js";
import {toast} from "quotewire/toasts.js";
import {renamed} from "quotewire/watchlist_edits.js";

/**
 * @typedef {import("../protocol.js").SymbolInfo} SymbolInfo
 * @typedef {import("../watchlist_edits.js").NamedList} NamedList
 *
 * @typedef {object} Shown
 * @property {string} name
 * @property {number} at in the user's lists
 * @property {boolean} isAll all that the feed has
 * @property {string[]} symbols in the list's order, also those that the feed does not know
 * @property {SymbolInfo[] | null} infos of those that it knows; null until it told any
 */

/** A link's list may be one that the feed keeps, which is asked for it first. */
const MISSED_MS = 4000;
/** @type {Set<string>} lists that were told to be missing, each once */
const missed = new Set();

/**
 * Pure.
 *
 * @param {readonly NamedList[]} lists at least one
 * @param {string | null} name the first list where there is none of that name
 * @param {ReadonlyMap<string, SymbolInfo> | null} known by the feed
 * @returns {Shown}
 */
export function shownList(lists, name, known) {
  const at = Math.max(0, lists.findIndex((list) => list.name === name));
  const isAll = lists[at].symbols.length === 0;
  const symbols = isAll ? [...(known?.keys() ?? [])] : lists[at].symbols;
  const infos = known && symbols.flatMap((symbol) => known.get(symbol) ?? []);
  return {name: lists[at].name, at, isAll, symbols, infos};
}

/**
 * Tells the list that is shown, now and whenever it is another one or another in it.
 *
 * @param {import("../connection.js").Connection} connection
 * @param {(shown: Shown) => void} listener
 * @param {(end: () => void) => void} until
 */
export function followList(connection, listener, until) {
  let told = "";
  const tell = () => {
    const shown = shownList(settings.values.watchlists, address.get("watchlist"), connection.symbols);
    const text = JSON.stringify(shown);
    if (text === told) return;
    told = text;
    listener(shown);
  };
  until(connection.onSymbols(tell));
  until(address.on("watchlist", tell));
  until(settings.onChange(tell));
}

/**
 * Where the address names no symbol, it is the first of the list that is shown.
 *
 * @param {import("../connection.js").Connection} connection
 * @param {(end: () => void) => void} until
 */
export function chooseFirst(connection, until) {
  /** @type {SymbolInfo[]} */
  let listed = [];
  const choose = () => {
    if (address.get("symbol") === null && listed.length) address.set({symbol: listed[0].symbol});
  };
  followList(connection, ({infos}) => {
    listed = infos ?? [];
    choose();
  }, until);
  until(address.on("symbol", choose));
}

/** The list that is shown stays so under another name, whoever has named it. */
let lists = settings.values.watchlists;
settings.onChange(({watchlists}) => {
  const name = renamed(lists, watchlists, address.get("watchlist"));
  lists = watchlists;
  if (name !== null) address.set({watchlist: name});
});

address.on("watchlist", (name) => {
  if (name !== null && !hasList(name)) setTimeout(() => tellMissed(name), MISSED_MS);
});

/** @param {string} name */
function hasList(name) {
  return settings.values.watchlists.some((list) => list.name === name);
}

/** @param {string} name */
function tellMissed(name) {
  if (address.get("watchlist") !== name || hasList(name) || missed.has(name)) return;
  missed.add(name);
  toast(`You have no list “${name}”: “${settings.values.watchlists[0].name}” is shown.`, {tone: "warn"});
}
