/** What befell the connection, in words. Pure. */

/** @typedef {import("../timeline.js").Entry} Entry */

/** @type {Record<string, string>} */
const TONES = {live: "good", polling: "warn", stale: "warn", connecting: "busy", offline: "bad", closed: "bad"};
const WAYS = {websocket: "WebSocket", polling: "HTTP", relay: "Relay"};

/** @param {Entry} entry @returns {{tone: string, what: string, why: string}} */
export function entryWords({kind, state = "", way = "", channel = "", symbol = "", interval = "", code, reason}) {
  const why = `${reason}${code && kind !== "simulation" ? ` (${code.replaceAll("_", " ")})` : ""}`;
  if (kind === "state") {
    const over = state === "live" || state === "polling" ? ` · ${WAYS[/** @type {keyof WAYS} */ (way)] ?? way}` : "";
    return {tone: TONES[state] ?? "idle", what: `${state}${over}`, why};
  }
  if (kind === "simulation") return {tone: "drill", what: "simulation", why: reason.replace(/^simulation: /, "")};
  const of = [symbol, interval, channel].filter(Boolean).join(" ");
  return {tone: "bad", what: `${kind === "lost" ? "gap" : "refused"} · ${of}`, why};
}
