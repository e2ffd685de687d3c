/**
 * Symbols of the address that the feed does not tell by that name: they are taken as its HTTP API takes
 * them, also in small letters or with another separator. It is asked for those that it has not told of:
 * of what a source finds then, it tells from there on. A compared one that it has not, nor finds, goes
 * from the address with a word; of the page's own the page itself tells.
 */

import {address} from "quotewire/address.js";
import {strangeWords} from "quotewire/address_check.js";
import {explain} from "quotewire/feed_error.js";
import {quoteQueries} from "quotewire/quote_queries.js";
import {meant} from "quotewire/symbol_match.js";
import {toast} from "quotewire/toasts.js";

/** @typedef {string | null | undefined} Meaning null: there is none; undefined: it is not known now */

/** The feed's word that there is none, or none for this page. */
const NONE = new Set(["unknown_symbol", "forbidden"]);
/** After this what is not known is asked for again, though nothing else has changed. */
const AGAIN_MS = 30_000;

/** @param {import("./connection.js").Connection} connection @param {(end: () => void) => void} until */
export function checkSymbols(connection, until) {
  /** @type {Set<string>} */
  const asked = new Set();
  const check = async () => {
    const known = connection.symbols;
    if (!known?.size || document.hidden) return; // the feed begins, or nobody looks
    const told = [address.get("symbol") ?? "", ...address.get("compare")];
    const strange = told.filter((name) => name && !known.has(name) && !asked.has(name));
    if (!strange.length) return;
    for (const name of strange) asked.add(name);
    const meanings = await meaningsOf(connection, strange);
    take(meanings);
    for (const [name, meaning] of meanings) if (meaning === undefined) asked.delete(name);
  };
  until(connection.onSymbols(check));
  until(address.on("symbol", check));
  until(address.on("compare", check));
  const again = setInterval(check, AGAIN_MS);
  until(() => clearInterval(again));
  document.addEventListener("visibilitychange", check);
  until(() => document.removeEventListener("visibilitychange", check));
}

/**
 * @param {import("./connection.js").Connection} connection
 * @param {string[]} names
 * @returns {Promise<Map<string, Meaning>>}
 */
async function meaningsOf(connection, names) {
  const known = (/** @type {string} */ name) => meant(name, connection.symbols?.keys() ?? []);
  const others = names.filter((name) => known(name) === null);
  const found = new Map(await Promise.all(others.map(async (name) =>
    /** @type {const} */ ([name, await lookUp(connection, name)]))));
  if ([...found.values()].some(Boolean)) await connection.loadSymbols();
  return new Map(names.map((name) => [name, known(name) ?? (found.get(name) === null ? null : undefined)]));
}

/**
 * Look for a symbol, and ask for what is found, so that the feed tells of it. To ask for any name would
 * be an error that the browser notes, where there is none.
 *
 * @param {import("./connection.js").Connection} connection
 * @param {string} name
 * @returns {Promise<Meaning>}
 */
async function lookUp(connection, name) {
  try {
    const {symbols, note} = await connection.ask("search", {q: name});
    const found = meant(name, symbols.map((/** @type {{symbol: string}} */ {symbol}) => symbol));
    if (found === null) return note ? undefined : null;
    const [query] = quoteQueries([found]);
    await connection.ask("quotes", query);
    return found;
  } catch (error) {
    return NONE.has(explain(error).code) ? null : undefined;
  }
}

/** @param {Map<string, Meaning>} meanings by what the address told: it may tell something else by now */
function take(meanings) {
  const symbol = address.get("symbol");
  const own = symbol === null ? null : meanings.get(symbol) ?? symbol;
  const compare = address.get("compare");
  const gone = compare.filter((name) => meanings.get(name) === null);
  const kept = compare.flatMap((name) => (gone.includes(name) ? [] : meanings.get(name) ?? name));
  const [at, lines] = [address.get("at"), address.get("lines")]; // the chart is the same one
  if (own !== symbol) address.set({symbol: own, at, lines});
  if (kept.join() !== compare.join()) address.set({compare: [...new Set(kept)]});
  if (gone.length) toast(strangeWords(gone.map((text) => ({name: "compare", text}))), {tone: "warn"});
}
