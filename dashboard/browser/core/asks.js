/**
 * What is asked of the feed at once: all symbols of a channel that are wanted alike. Pure. Twin of
 * `dashboard/client/core/asks.py`.
 *
 * @typedef {import("./entries.js").Entry} Entry
 * @typedef {import("./session.js").Channel} Channel
 *
 * @typedef {{do: "ask", channel: Channel, interval: string | null, indicators: string[],
 *   max_hz: number, symbols: string[]}} Ask
 * @typedef {{do: "unask", channel: Channel, interval: string | null, symbols: string[]}} Unask
 */

/**
 * Ask for those of some entries that are wanted on other terms than was asked for.
 *
 * @param {Iterable<Entry>} entries
 * @param {number} max_hz
 * @returns {Ask[]}
 */
export function asks(entries, max_hz) {
  /** @type {Map<string, Ask>} */
  const groups = new Map();
  for (const entry of entries) {
    const terms = entry.ask(max_hz);
    if (terms === null) continue;
    const {channel, interval, symbol} = entry;
    const key = JSON.stringify([channel, interval, terms]);
    const group = groups.get(key) ?? {do: "ask", channel, interval, ...terms, symbols: []};
    group.symbols.push(symbol);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** End some entries at the feed. @param {Iterable<Entry>} entries @returns {Unask[]} */
export function unasks(entries) {
  /** @type {Map<string, Unask>} */
  const groups = new Map();
  for (const {channel, interval, symbol} of entries) {
    const key = `${channel} ${interval ?? ""}`;
    const group = groups.get(key) ?? {do: "unask", channel, interval, symbols: []};
    group.symbols.push(symbol);
    groups.set(key, group);
  }
  return [...groups.values()];
}
