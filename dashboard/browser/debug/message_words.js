/** What went by, in words: which kind, of which symbols, and how it begins. Pure. */

/** @typedef {import("../traffic.js").Passed} Passed */

const SHOWN = 240;
const ROWED = new Set(["quotes", "trades", "bars"]);

/** The kinds that one can choose: those that there are, in order. @param {Passed[]} all */
export function kindsOf(all) {
  return [...new Set(all.map(({kind}) => kind))].sort();
}

/** Which symbols it is of; none where it is of none. @param {Passed} passed @returns {string[]} */
export function symbolsOf({body}) {
  const {rows, symbols, symbol, type} = /** @type {any} */ (body ?? {});
  if (Array.isArray(symbols)) return symbols.map((one) => (typeof one === "string" ? one : one?.symbol));
  if (Array.isArray(rows) && ROWED.has(type)) return [...new Set(rows.map(([name]) => name))];
  return typeof symbol === "string" ? [symbol] : [];
}

/**
 * @param {string} kind empty for all
 * @param {string} symbol part of one; empty for all
 * @returns {(passed: Passed) => boolean}
 */
export function filterOf(kind, symbol) {
  const wanted = symbol.trim().toUpperCase();
  return (passed) => (!kind || passed.kind === kind)
    && (!wanted || symbolsOf(passed).some((one) => String(one).toUpperCase().includes(wanted)));
}

/** Its beginning. @param {Passed} passed */
export function briefly({body}) {
  if (body === null) return "";
  const {type: _, ...rest} = /** @type {any} */ (body);
  const text = JSON.stringify(rest);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

/** One a line, to be copied. @param {Passed[]} all oldest first */
export function linesOf(all) {
  return all.map(({at_ms, direction, way, kind, bytes, body}) =>
    JSON.stringify({at: new Date(at_ms).toISOString(), direction, way, kind, bytes, body})).join("\n");
}
