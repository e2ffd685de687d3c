/** Why an element has nothing to show, and what to do about it. */

const START = "Start one with “make run”, or tell where it is: QUOTEWIRE_FEED_URL.";

/**
 * @param {import("./connection.js").Connection} connection that has told no symbols yet
 * @returns {string} for a person
 */
export function explainAbsence({state, feedUrl}) {
  const {host} = new URL(feedUrl);
  if (state.state === "closed") return `The feed at ${host} is closed to this page: ${state.reason}`;
  if (state.state === "offline") return `No feed answers at ${host}. ${START}`;
  return `Waiting for the feed at ${host} …`;
}

/** @param {string} symbol that the feed has not told */
export function explainUnknown(symbol) {
  return `This feed has no “${symbol}”.`;
}
