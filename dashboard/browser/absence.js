/** Why an element has nothing to show, and what to do about it. */

/** @typedef {import("./connection.js").Connection} Connection */

const CONNECTED = new Set(["live", "polling", "stale"]);
const START = "Start one with “make run”, or tell where it is: QUOTEWIRE_FEED_URL.";

/**
 * @param {Connection} connection that has told no symbols yet
 * @returns {string} for a person
 */
export function explainAbsence({state, feedUrl}) {
  const {host} = new URL(feedUrl);
  if (state.state === "closed") return `The feed at ${host} is closed to this page: ${state.reason}`;
  if (state.state === "offline") return `No feed answers at ${host}. ${START}`;
  if (CONNECTED.has(state.state)) return `The feed at ${host} has told no instruments yet.`;
  return `Waiting for the feed at ${host} …`;
}

/**
 * @param {Connection} connection
 * @param {string} symbol of which quotes are wanted, and none came
 */
export function explainNoPrice(connection, symbol) {
  const failure = connection.failure("quotes", null, symbol);
  if (!CONNECTED.has(connection.state.state)) return explainAbsence(connection);
  if (failure === null) return `No price of ${symbol} yet.`;
  return failure.code === "unknown_symbol" ? explainUnknown(symbol) : failure.reason;
}

/**
 * @param {Connection} connection
 * @param {string} symbol of which bars are wanted, and none came
 * @param {string} interval
 */
export function explainNoBars(connection, symbol, interval) {
  if (!CONNECTED.has(connection.state.state)) return explainAbsence(connection);
  const failure = connection.failure("bars", interval, symbol);
  if (failure !== null) return failure.reason;
  return explainNoHistory(connection, symbol, interval) || `Loading the history of ${symbol} …`;
}

/**
 * @param {Connection} connection
 * @param {string} symbol
 * @param {string} interval
 * @returns {string} why bars come without their history; empty where they do not, or it may come
 */
export function explainNoHistory(connection, symbol, interval) {
  const failure = connection.historyFailure(symbol, interval);
  return failure === null ? "" : `The history of ${symbol} cannot be loaded: ${failure.reason}`;
}

/** @param {string} symbol that the feed has not told */
export function explainUnknown(symbol) {
  return `This feed has no “${symbol}”.`;
}
