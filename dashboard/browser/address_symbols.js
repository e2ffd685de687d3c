/**
 * Symbols of the address that the feed does not tell by that name: they are taken as its HTTP API takes
 * them, also in small letters or with another separator. A compared one that it has not, nor finds,
 * goes from the address with a word; of the page's own the page itself tells.
 */

import {address} from "quotewire/address.js";
import {strangeWords} from "quotewire/address_check.js";
import {meant} from "quotewire/symbol_match.js";
import {toast} from "quotewire/toasts.js";

/** @typedef {string | null | undefined} Meaning null: there is none; undefined: it is not known now */

/** @param {import("./connection.js").Connection} connection @param {(end: () => void) => void} until */
export function checkSymbols(connection, until) {
  /** @type {Set<string>} */
  const asked = new Set();
  const check = async () => {
    const known = connection.symbols;
    if (!known?.size) return; // the feed begins
    const told = [address.get("symbol") ?? "", ...address.get("compare")];
    const strange = told.filter((name) => name && !known.has(name) && !asked.has(name));
    for (const name of strange) asked.add(name);
    const meanings = await Promise.all(strange.map((name) => meaning(connection, name)));
    for (const name of meanings) if (name) asked.add(name); // it may be told of a moment later
    take(new Map(strange.map((name, at) => [name, meanings[at]])));
  };
  until(connection.onSymbols(check));
  until(address.on("symbol", check));
  until(address.on("compare", check));
}

/**
 * @param {import("./connection.js").Connection} connection
 * @param {string} name
 * @returns {Promise<Meaning>}
 */
async function meaning(connection, name) {
  const known = meant(name, connection.symbols?.keys() ?? []);
  if (known !== null) return known;
  try {
    const {symbols, note} = await connection.ask("search", {q: name});
    const found = symbols.map((/** @type {{symbol: string}} */ {symbol}) => symbol);
    return meant(name, found) ?? (note ? undefined : null);
  } catch {
    return undefined; // the badge tells how the feed does
  }
}

/** @param {Map<string, Meaning>} meanings by what the address told: it may tell something else by now */
function take(meanings) {
  if (!meanings.size) return;
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
