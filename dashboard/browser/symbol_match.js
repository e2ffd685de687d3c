/** Which instruments a text may mean, the likeliest first. Pure. */

/** @typedef {import("./protocol.js").SymbolInfo} SymbolInfo */

/** What a symbol may be written with. */
export const SYMBOL = /^[\w.:^=/-]{1,64}$/;

const SEPARATED = /^([A-Z0-9]+)[./-]([A-Z0-9]+)$/;
/** Two currencies without anything between them; the second is nearly always of three letters. */
const PAIR = /^([A-Z]{3,5})([A-Z]{3})$/;

/** How well it fits, the least is the best. @type {((info: SymbolInfo, wanted: string) => boolean)[]} */
const FITS = [
  ({symbol}, wanted) => symbol.toUpperCase() === wanted,
  ({symbol}, wanted) => symbol.toUpperCase().startsWith(wanted),
  ({name}, wanted) => name.toUpperCase().split(/\s+/).some((word) => word.startsWith(wanted)),
  ({symbol, name}, wanted) => `${symbol} ${name}`.toUpperCase().includes(wanted),
];

/**
 * @param {Iterable<SymbolInfo>} infos
 * @param {string} text as typed; without any the first ones are named
 * @param {number} most
 * @returns {SymbolInfo[]} those that fit equally well in their order
 */
export function suggestions(infos, text, most) {
  const wanted = text.trim().toUpperCase();
  const known = [...infos];
  if (!wanted) return known.slice(0, most);
  const ranks = FITS.map((fits) => known.filter((info) => fits(info, wanted)));
  return [...new Set(ranks.flat())].slice(0, most);
}

/**
 * What is known already, then what was found besides.
 *
 * @param {SymbolInfo[]} known
 * @param {SymbolInfo[]} found
 * @param {number} most
 */
export function joined(known, found, most) {
  const names = new Set(known.map(({symbol}) => symbol));
  return [...known, ...found.filter(({symbol}) => !names.has(symbol))].slice(0, most);
}

/**
 * Whether an instrument stays in a list that is narrowed by a text: by the beginning of its symbol,
 * or any part of its name.
 *
 * @param {SymbolInfo} info
 * @param {string} text
 */
export function isLike({symbol, name}, text) {
  const wanted = text.trim().toUpperCase();
  return symbol.toUpperCase().startsWith(wanted) || name.toUpperCase().includes(wanted);
}

/** As the feed spells it; in capitals where it has none such. @param {string} text typed @param {Iterable<string>} known */
export function spelled(text, known) {
  const capitals = text.toUpperCase();
  const alike = [...known].filter((symbol) => symbol.toUpperCase() === capitals);
  return alike.find((symbol) => symbol === text) ?? alike[0] ?? capitals;
}

/**
 * Which one a text means: as it stands, in other letters, or with another separator between a share and
 * its class, or two currencies. Twin of `match` in `feed_server/market/symbols.py`.
 *
 * @param {string} text a symbol
 * @param {Iterable<string>} known
 * @returns {string | null} null where there is none such
 */
export function meant(text, known) {
  const all = new Set(known);
  const spellings = [text, text.toUpperCase(), ...respelt(text.toUpperCase())];
  const exact = spellings.find((spelling) => all.has(spelling));
  if (exact !== undefined) return exact;
  // Of those that differ in their letters' case only it is the first of the alphabet.
  const byCapitals = new Map([...all].sort().reverse().map((symbol) => [symbol.toUpperCase(), symbol]));
  const alike = spellings.find((spelling) => byCapitals.has(spelling));
  return alike === undefined ? null : byCapitals.get(alike) ?? null;
}

/** The same with other separators. @param {string} capitals @returns {string[]} */
function respelt(capitals) {
  const parts = SEPARATED.exec(capitals);
  if (!parts) return PAIR.test(capitals) ? [..."/-."].map((separator) => capitals.replace(PAIR, `$1${separator}$2`)) : [];
  const [, first, second] = parts;
  const spellings = [...".-/"].map((separator) => `${first}${separator}${second}`);
  // A share's class is not a currency: BRKB would be another share.
  return second.length === 3 && PAIR.test(first + second) ? [...spellings, first + second] : spellings;
}
