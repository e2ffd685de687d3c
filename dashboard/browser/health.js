/**
 * One picture of the connection and the sources behind it: the worst of them, in words. Pure.
 *
 * @typedef {import("./core/session.js").State | "source-down" | "market-closed"} HealthState
 * @typedef {{state: HealthState, word: string, reason: string}} Health
 */

const WORDS = {
  connecting: "Connecting",
  live: "Live",
  polling: "Polling",
  stale: "Stale",
  offline: "Offline",
  closed: "Closed",
  "source-down": "Source down",
  "market-closed": "Market closed",
};

/**
 * @param {import("./core/session.js").StateChanged} connection
 * @param {import("./protocol.js").SourceStatus[]} sources
 * @param {Set<string>} [shown] names of the sources that what is shown comes from: another that is
 *   down harms nobody; without it all count
 * @returns {Health}
 */
export function healthOf(connection, sources, shown) {
  const connected = connection.state === "live" || connection.state === "polling";
  if (!connected) return health(connection.state, connection.reason);
  const known = sources.filter(({source}) => shown?.has(source));
  const counted = known.length ? known : sources;
  const down = counted.find(({state}) => state === "down");
  if (down) return health("source-down", down.message);
  if (counted.length && counted.every(({state}) => state === "closed")) {
    return health("market-closed", counted[0].message);
  }
  return health(connection.state, connection.reason);
}

/**
 * Whether a source is there, or does otherwise, than before: symbols may have come, or come from
 * another source now.
 *
 * @param {import("./protocol.js").SourceStatus[]} before
 * @param {import("./protocol.js").SourceStatus[]} after
 */
export function fareDifferently(before, after) {
  const states = new Map(before.map(({source, state}) => [source, state]));
  return after.some(({source, state}) => states.get(source) !== state);
}

/** @param {HealthState} state @param {string} reason @returns {Health} */
function health(state, reason) {
  return {state, word: WORDS[state], reason};
}
