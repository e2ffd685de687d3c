/**
 * The wire, as `feed_server/protocol` defines it: JSON text in, plain objects out, and back.
 *
 * Rows on the wire are arrays with times counted from their frame; here they become objects with
 * absolute times (UTC epoch milliseconds). Unknown fields are ignored.
 *
 * @typedef {object} QuoteRow
 * @property {string} symbol
 * @property {number} last
 * @property {number} size
 * @property {number | null} bid_steps best bid as it is on the wire, see `priceAt`
 * @property {number | null} ask_steps
 * @property {number} volume
 * @property {number} time_ms event time, the market's clock
 * @property {number} received_ms when the feed received it
 * @property {number} offset position within the symbol's epoch
 * @property {number} count changes it stands for
 *
 * @typedef {object} QuoteDetails
 * @property {number} open
 * @property {number} high
 * @property {number} low
 * @property {number | null} prev_close
 * @property {string} session date of the trading session, YYYY-MM-DD
 * @property {string} epoch
 * @property {number | null} decimals
 *
 * @typedef {object} Bar
 * @property {string} symbol
 * @property {string} interval
 * @property {number} start_ms
 * @property {number} open
 * @property {number} high
 * @property {number} low
 * @property {number} close
 * @property {number} volume
 * @property {number | null} time_ms event time of its last trade; null in history, but for the last
 * @property {boolean} final false while trades may change it: while it forms, and for late trades
 *   a little longer
 *
 * @typedef {{type: "quotes", snapshot: boolean, rows: QuoteRow[],
 *   details: Map<string, QuoteDetails>}} QuotesMessage
 * @typedef {{type: "bars", snapshot: boolean, interval: string, rows: Bar[],
 *   epochs: Map<string, string>, lost: Set<string>}} BarsMessage `lost`: some closed unseen
 * @typedef {{symbol: string, interval: string, epoch: string, bars: Bar[]}} Series
 *
 * @typedef {object} SymbolInfo
 * @property {string} symbol
 * @property {string} name
 * @property {string} currency
 * @property {number} decimals
 * @property {string} source
 * @property {string} label
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
 */

/** Errors that mean: the feed does not let this page in, whatever it asks. */
const DENIALS = new Set(["auth_required", "auth_failed", "auth_expired"]);

/** The same as codes of the WebSocket's end. */
const DENIAL_OF_CLOSE = {4001: "auth_required", 4003: "auth_expired", 4010: "auth_failed"};

/** The only interval the feed has so far. */
export const DAY = "1d";

/** @param {string} code of an error */
export function isDenial(code) {
  return DENIALS.has(code);
}

/** @param {number} number close code @returns {string | null} the denial it tells of */
export function denialOfClose(number) {
  return DENIAL_OF_CLOSE[number] ?? null;
}

/**
 * @param {string} text one message of the server
 * @returns {{type: string} & Record<string, any>}
 */
export function decode(text) {
  return fromWire(JSON.parse(text));
}

/** The same for a body that is parsed already. */
export function fromWire(message) {
  if (message.type === "quotes") return quotesFromWire(message);
  if (message.type === "bars") return barsFromWire(message);
  return message;
}

/** @returns {QuotesMessage} */
function quotesFromWire({event_ms, received_ms, rows, details = {}, snapshot = false}) {
  const absolute = ([symbol, last, size, bid, ask, volume, event, received, offset, count]) => ({
    symbol, last, size, bid_steps: bid, ask_steps: ask, volume,
    time_ms: event_ms + event,
    received_ms: received_ms + received,
    offset, count,
  });
  const named = ([symbol, [open, high, low, prev_close, session, epoch, decimals = null]]) =>
    [symbol, {open, high, low, prev_close, session, epoch, decimals}];
  return {
    type: "quotes",
    snapshot,
    rows: rows.map(absolute),
    details: new Map(Object.entries(details).map(named)),
  };
}

/**
 * A bid or an ask: on the wire it is told as its distance from the last price.
 *
 * @param {number} last
 * @param {number | null} steps in units of 10 ** -decimals
 * @param {number | null} decimals null where the price itself was told
 * @returns {number | null} exactly the price that the feed has
 */
export function priceAt(last, steps, decimals) {
  if (steps === null || decimals === null) return steps;
  const scale = 10 ** decimals;
  return (Math.round(last * scale) + steps) / scale;
}

/** @returns {BarsMessage} */
function barsFromWire({interval, rows, epochs = {}, snapshot = false, recovered = {}}) {
  const named = ([symbol, , start_ms, open, high, low, close, volume, time_ms, final]) =>
    ({symbol, interval, start_ms, open, high, low, close, volume, time_ms, final});
  return {
    type: "bars",
    snapshot,
    interval,
    rows: rows.map(named),
    epochs: new Map(Object.entries(epochs)),
    lost: new Set(Object.keys(recovered).filter((symbol) => !recovered[symbol])),
  };
}

/**
 * Rows from the columns of `/api/bars`.
 *
 * @returns {Series}
 */
export function seriesFromWire(body) {
  const {symbol, interval, epoch} = body;
  const bars = body.start_ms.map((start_ms, i) => ({
    symbol, interval, start_ms,
    open: body.open[i],
    high: body.high[i],
    low: body.low[i],
    close: body.close[i],
    volume: body.volume[i],
    time_ms: i === body.start_ms.length - 1 ? body.time_ms : null,
    final: body.final[i],
  }));
  return {symbol, interval, epoch, bars};
}

/**
 * @param {number} id
 * @param {"quotes" | "bars"} channel
 * @param {string[]} symbols
 * @param {string} [interval] for bars
 */
export function subscribe(id, channel, symbols, interval) {
  return JSON.stringify({type: "subscribe", id, channel, symbols, interval});
}

export function unsubscribe(id, channel, symbols, interval) {
  return JSON.stringify({type: "unsubscribe", id, channel, symbols, interval});
}

/** @param {number} id @param {string} token */
export function auth(id, token) {
  return JSON.stringify({type: "auth", id, token});
}

export function ping(id) {
  return JSON.stringify({type: "ping", id});
}
