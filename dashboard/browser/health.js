/**
 * One picture of the connection and the sources behind it: the worst of them, in words. Pure.
 *
 * @typedef {"connecting" | "live" | "polling" | "offline" | "source-down" | "closed"} HealthState
 * @typedef {{state: HealthState, word: string, reason: string}} Health
 */

const WORDS = {
  connecting: "Connecting",
  live: "Live",
  polling: "Polling",
  offline: "Offline",
  "source-down": "Source down",
  closed: "Market closed",
};

/**
 * @param {import("./connection.js").StateChange} connection
 * @param {import("./protocol.js").SourceStatus[]} sources
 * @returns {Health}
 */
export function healthOf(connection, sources) {
  const connected = connection.state === "live" || connection.state === "polling";
  if (!connected) return health(connection.state, connection.reason);
  const down = sources.find(({state}) => state === "down");
  if (down) return health("source-down", down.message);
  if (sources.length && sources.every(({state}) => state === "closed")) {
    return health("closed", sources[0].message);
  }
  return health(connection.state, connection.reason);
}

/** Whether prices on the screen may be out of date. A closed market's are not. */
export function isStale({state}) {
  return state === "offline" || state === "source-down";
}

/**
 * Whether a source is live that was not: it may bring symbols that the feed did not have.
 *
 * @param {import("./protocol.js").SourceStatus[]} before
 * @param {import("./protocol.js").SourceStatus[]} after
 */
export function becameLive(before, after) {
  const wasLive = new Set(before.filter(isLive).map(({source}) => source));
  return after.some((status) => isLive(status) && !wasLive.has(status.source));
}

const isLive = ({state}) => state === "live";

function health(state, reason) {
  return {state, word: WORDS[state], reason};
}
