/**
 * What the page's elements want, counted per symbol and channel. Pure.
 *
 * It is intent: it outlives connections and is replayed on each, in one batch per channel.
 *
 * @typedef {{channel: "quotes" | "bars", interval: string | undefined, symbols: string[]}} Group
 */

export class Subscriptions {
  /** @type {Map<string, {channel: string, interval: string | undefined, counts: Map<string, number>}>} */
  #groups = new Map();

  /** @returns {string[]} symbols not wanted before */
  add(channel, symbols, interval) {
    const key = `${channel} ${interval ?? ""}`;
    if (!this.#groups.has(key)) this.#groups.set(key, {channel, interval, counts: new Map()});
    const {counts} = this.#groups.get(key);
    const added = symbols.filter((symbol) => !counts.has(symbol));
    for (const symbol of symbols) counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
    return added;
  }

  /** @returns {string[]} symbols no longer wanted */
  remove(channel, symbols, interval) {
    const counts = this.#groups.get(`${channel} ${interval ?? ""}`)?.counts ?? new Map();
    const removed = [];
    for (const symbol of symbols) {
      const left = (counts.get(symbol) ?? 0) - 1;
      if (left > 0) counts.set(symbol, left);
      else if (counts.delete(symbol)) removed.push(symbol);
    }
    return removed;
  }

  has(channel, symbol, interval) {
    return this.#groups.get(`${channel} ${interval ?? ""}`)?.counts.has(symbol) ?? false;
  }

  /** @returns {Group[]} */
  groups() {
    return [...this.#groups.values()]
      .filter(({counts}) => counts.size)
      .map(({channel, interval, counts}) => ({channel, interval, symbols: [...counts.keys()]}));
  }

  /** @returns {string[]} */
  symbols(channel) {
    const of = this.groups().filter((group) => group.channel === channel);
    return [...new Set(of.flatMap((group) => group.symbols))];
  }

  /** @returns {{symbol: string, interval: string}[]} of the bars wanted */
  series() {
    return this.groups()
      .filter(({channel}) => channel === "bars")
      .flatMap(({interval, symbols}) => symbols.map((symbol) => ({symbol, interval})));
  }
}
