/** Asking for the last values of many symbols, in parts that a feed takes. Pure. */

/** Of an address, in which servers in between take no more than 8 kB. */
const NAMES_CHARS = 4000;
/** A feed usually gives 1,000 at a time. */
const MOST = 900;
/** What the feed has is enough: nothing is to be asked of a vendor. */
const ANY_AGE_MS = 1_000_000_000;

/** @param {Iterable<string>} symbols @returns {{symbols: string, max_age_ms: number}[]} of `/api/quotes`, one for each part */
export function quoteQueries(symbols) {
  return packed(symbols).map((names) => ({symbols: names.join(","), max_age_ms: ANY_AGE_MS}));
}

/** @param {Iterable<string>} symbols @returns {string[][]} so few each that their names fit an address */
function packed(symbols) {
  /** @type {string[][]} */
  const parts = [];
  let room = 0;
  for (const symbol of symbols) {
    const size = encodeURIComponent(symbol).length + 3; // and a comma, as %2C
    if (size > room || parts[parts.length - 1].length === MOST) {
      parts.push([]);
      room = NAMES_CHARS;
    }
    parts[parts.length - 1].push(symbol);
    room -= size;
  }
  return parts;
}
