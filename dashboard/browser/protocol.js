/**
 * What the wire tells of instruments and sources, as `feed_server/protocol` defines it. What comes of
 * prices is in `core/`, with the books that take it.
 *
 * @typedef {object} SymbolInfo
 * @property {string} symbol
 * @property {string} name
 * @property {string} currency
 * @property {number} decimals
 * @property {string} source
 * @property {string} label
 * @property {string} [zone] IANA name of the zone its sessions are dated by
 *
 * @typedef {object} SourceStatus
 * @property {string} source
 * @property {string} label
 * @property {"connecting" | "live" | "closed" | "down"} state
 * @property {string} message
 * @property {number | null} market_ms
 * @property {number} updated_ms
 * @property {number} [next_try_ms] when it asks its vendor next
 * @property {number} [symbols] how many it is asked for
 * @property {{limit: number, per_s: number, left: number}[]} [budgets] what its vendor allows
 * @property {number} [failures] how many tries in a row have failed
 * @property {Record<string, number>} [refused] by reason how many data were not taken
 */

export {};
