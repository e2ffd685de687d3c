/** What elements ask for, counted. Pure. */

/**
 * @typedef {import("../core/session.js").Want} Want
 * @typedef {{what: string, symbols: string[], askers: number}} Row `askers`: how many ask for some of it
 */

/** @param {Want[]} wants @returns {Row[]} by what it is, in order */
export function rowsOf(wants) {
  /** @type {Map<string, {symbols: Set<string>, askers: number}>} */
  const rows = new Map();
  for (const {channel, interval, indicators = [], symbols} of wants) {
    const what = [channel, interval, indicators.join(", ")].filter(Boolean).join(" · ");
    const row = rows.get(what) ?? {symbols: new Set(), askers: 0};
    symbols.forEach((symbol) => row.symbols.add(symbol));
    row.askers += 1;
    rows.set(what, row);
  }
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([what, {symbols, askers}]) => ({what, symbols: [...symbols].sort(), askers}));
}

/** The symbols that quotes are asked for of. @param {Want[]} wants @returns {string[]} */
export function quotedOf(wants) {
  return [...new Set(wants.flatMap(({channel, symbols}) => (channel === "quotes" ? symbols : [])))];
}

/** Symbols that many want, the most wanted first. @param {Record<string, number>} counts @param {number} most */
export function mostWanted(counts, most) {
  const all = Object.entries(counts).sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  return {told: all.slice(0, most), left: Math.max(0, all.length - most), symbols: all.length};
}
