/**
 * The four layers between a market and the screen, each with how it does, in words. Pure.
 *
 * @typedef {"good" | "busy" | "warn" | "bad" | "idle"} Tone
 * @typedef {{name: string, tone: Tone, word: string, detail: string}} Layer
 * @typedef {import("../core/session.js").StateChanged} StateChanged
 * @typedef {import("../protocol.js").SourceStatus} SourceStatus
 */

import {formatAge, formatCount, formatMs} from "quotewire/format.js";

/** @type {Record<import("../core/session.js").State, [tone: Tone, word: string]>} */
const LINK = {
  connecting: ["busy", "Connecting"],
  live: ["good", "Live"],
  polling: ["warn", "Polling"],
  stale: ["warn", "Stale"],
  offline: ["bad", "Offline"],
  closed: ["bad", "Closed"],
};
const WAYS = {websocket: "WebSocket", polling: "HTTP", relay: "Relay"};
/** @type {Record<SourceStatus["state"], [tone: Tone, word: string]>} */
const SOURCE = {
  connecting: ["busy", "Connecting"],
  live: ["good", "Live"],
  closed: ["idle", "Market closed"],
  down: ["bad", "Down"],
};
/** From the best to the worst. @type {SourceStatus["state"][]} */
const WORST = ["closed", "live", "connecting", "down"];

/** @param {{isThere: boolean, since_ms: number, losses: number}} panel @param {number} now_ms @returns {Layer} */
export function panelLayer({isThere, since_ms, losses}, now_ms) {
  const lost = losses ? ` · lost ${formatCount(losses)} ×` : "";
  return {
    name: "Browser – Panel",
    tone: isThere ? "good" : "bad",
    word: isThere ? "Connected" : "Away",
    detail: `for ${formatAge(now_ms - since_ms)}${lost}`,
  };
}

/** @param {StateChanged} state @param {number | null} round_trip_ms @param {number} now_ms @returns {Layer} */
export function linkLayer({state, way, reason, at_ms}, round_trip_ms, now_ms) {
  const [tone, word] = LINK[state];
  const lasts = `for ${formatAge(now_ms - at_ms)}`;
  const trip = state === "live" && round_trip_ms !== null ? [`round trip ${formatMs(round_trip_ms)}`] : [];
  const well = state === "live" || state === "polling";
  return {name: "Browser – feed", tone, word, detail: [...(well ? [WAYS[way], ...trip] : [reason]), lasts].join(" · ")};
}

/** @param {SourceStatus[]} sources @returns {Layer} */
export function sourceLayer(sources) {
  const name = "Feed – source";
  const worst = sources.toSorted((a, b) => WORST.indexOf(b.state) - WORST.indexOf(a.state))[0];
  if (!worst) return {name, tone: "idle", word: "Unknown", detail: "no source has said how it does"};
  const [tone, word] = SOURCE[worst.state];
  const others = sources.length > 1 ? [`${formatCount(sources.length)} sources`] : [];
  const label = worst.label ? [worst.label] : [];
  return {name, tone, word, detail: [worst.source, ...label, worst.message, ...others].filter(Boolean).join(" · ")};
}

/**
 * @param {import("../core/staleness.js").Age[]} ages of all symbols that are wanted
 * @returns {Layer}
 */
export function freshnessLayer(ages) {
  const name = "Freshness";
  if (!ages.length) return {name, tone: "idle", word: "Nothing wanted", detail: "no symbol is on the screen"};
  const count = (/** @type {string} */ state) => ages.filter((age) => age.state === state).length;
  const [fresh, stale, closed, unknown] = ["fresh", "stale", "closed", "unknown"].map(count);
  const told = [[fresh, "fresh"], [stale, "stale"], [closed, "closed"], [unknown, "without price"]];
  const oldest = Math.max(0, ...ages.map(({age_ms}) => age_ms ?? 0));
  const words = told.filter(([number]) => number).map(([number, word]) => `${formatCount(Number(number))} ${word}`);
  const detail = [...words, `oldest ${formatAge(oldest)}`].join(" · ");
  if (stale) return {name, tone: "warn", word: stale === ages.length ? "Stale" : "Some stale", detail};
  if (!fresh) return {name, tone: "idle", word: closed ? "Market closed" : "No prices yet", detail};
  return {name, tone: "good", word: "Fresh", detail};
}
