/**
 * Whether what was parsed is what a feed says: who is in between may answer instead, or break it. In
 * Python the structs of `feed_server/protocol` see to that. Pure.
 *
 * Fields that are not known are ignored, and so are kinds of messages.
 *
 * @typedef {(value: any) => boolean} Check
 */

/** @type {Check} */
const number = (value) => typeof value === "number";
/** @type {Check} */
const text = (value) => typeof value === "string";
/** @type {Check} */
const flag = (value) => typeof value === "boolean";
/** @type {Check} */
const map = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
/** @param {Check} check @returns {Check} */
const maybe = (check) => (value) => value === undefined || value === null || check(value);
/** @param {Check} check @returns {Check} */
const list = (check) => (value) => Array.isArray(value) && value.every(check);
/** @param {Check} check @returns {Check} */
const named = (check) => (value) => map(value) && Object.values(value).every(check);

/** An array that begins with these. @param {...Check} checks @returns {Check} */
function row(...checks) {
  const {length} = checks;
  return (value) => {
    if (!Array.isArray(value) || value.length < length) return false;
    for (let i = 0; i < length; i += 1) if (!checks[i](value[i])) return false;
    return true;
  };
}

/** An object with these fields. @param {Record<string, Check>} fields @returns {Check} */
function fields(fields) {
  const checks = Object.entries(fields);
  return (value) => map(value) && checks.every(([name, check]) => check(value[name]));
}

const price = maybe(number);
const subscription = {channel: text, symbols: list(text), interval: maybe(text)};
const values = named(list(list(price)));

/** By type. @type {Map<string, Check>} */
const MESSAGES = new Map(Object.entries({
  welcome: fields({
    time_ms: number, heartbeat_ms: number, max_message_bytes: number, auth: text,
  }),
  authenticated: fields({id: number, expires_ms: number}),
  subscribed: fields({id: number, ...subscription, failed: named(text), indicators: maybe(list(text))}),
  unsubscribed: fields({id: number, ...subscription}),
  pong: fields({id: number, time_ms: number}),
  heartbeat: fields({time_ms: number, frames: number}),
  status: fields({sources: list(fields({source: text, state: text}))}),
  shutdown: fields({reconnect_ms: number}),
  error: fields({code: text, message: text, id: maybe(number), symbol: maybe(text)}),
  quotes: fields({
    event_ms: number,
    received_ms: number,
    rows: list(row(text, number, number, price, price, number, number, number, number, number)),
    details: maybe(named(row(number, number, number, price, text, text))),
    cursor: maybe(text),
  }),
  trades: fields({
    event_ms: number,
    received_ms: number,
    rows: list(row(text, number, number, number, number, number)),
    positions: maybe(named(row(text, number))),
    recovered: maybe(named(flag)),
  }),
  bars: fields({
    interval: text,
    rows: list(row(text, text, number, number, number, number, number, number, number, flag)),
    epochs: maybe(named(text)),
    offsets: maybe(named(number)),
    recovered: maybe(named(flag)),
    indicators: maybe(values),
  }),
}));

/** Columns of as many values as there are in the first. @param {Record<string, Check>} columns */
function columns(columns) {
  const checks = Object.entries(columns).map(([name, check]) => /** @type {const} */ ([name, list(check)]));
  const [[first]] = checks;
  /** @type {Check} */
  return (value) => map(value) && checks.every(([name, check]) =>
    check(value[name]) && value[name].length === value[first].length);
}

const BAR_COLUMNS = columns({
  start_ms: number, open: number, high: number, low: number, close: number, volume: number, final: flag,
});
const TRADE_COLUMNS = columns({time_ms: number, price: number, size: number, offsets: number});
const series = {symbol: text, epoch: text, offset: number};
const bars = fields({...series, interval: text, time_ms: price, indicators: maybe(map)});
const trades = fields(series);

/** By path. @type {Map<string, Check>} */
const BODIES = new Map(Object.entries({
  bars: (/** @type {any} */ body) => bars(body) && BAR_COLUMNS(body),
  trades: (/** @type {any} */ body) => trades(body) && TRADE_COLUMNS(body),
  quotes: (/** @type {any} */ body) => isMessage(body) && body.type === "quotes",
  status: (/** @type {any} */ body) => isMessage(body) && body.type === "status",
  symbols: fields({symbols: list(fields({symbol: text}))}),
  search: fields({symbols: list(fields({symbol: text}))}),
}));

/** Whether this is a message of a feed. @param {any} message parsed */
export function isMessage(message) {
  if (!map(message) || !text(message.type)) return false;
  return MESSAGES.get(message.type)?.(message) ?? true;
}

/** Whether a feed answers so. @param {string} path below `/api/` @param {any} body parsed */
export function isBody(path, body) {
  return BODIES.get(path)?.(body) ?? map(body);
}

/** Whether a feed answers an error so. @param {any} body parsed */
export function isError(body) {
  return map(body) && text(body.code) && text(body.message);
}
