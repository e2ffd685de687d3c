/** The connection badge: one word for the whole path, and on a click all its layers. */

import {h, setText} from "quotewire/dom.js";
import {
  NOTHING, formatAge, formatBytes, formatClock, formatCount, formatMs, formatRate,
} from "quotewire/format.js";
import {mount} from "quotewire/live.js";
import {openBelow} from "quotewire/popover.js";

/** @typedef {import("./connection.js").Connection} Connection */
/** @typedef {ReturnType<Connection["stats"]>} Stats */
/** @typedef {[name: string, value: string]} Fact */

const REFRESH_MS = 500;
/** @type {Record<import("./core/session.js").Way, string>} */
const WAYS = {websocket: "WebSocket", polling: "HTTP", relay: "Relay"};
const CARRIES = new Set(["live", "polling", "stale"]);
const TOLD = 4;

/** @param {import("./panel.d.ts").ElementContext} context */
export function render(context) {
  return mount(context, (connection, until) => new Badge(connection, until).element,
    {rewords: true});
}

class Badge {
  #connection;
  #word = h("span", {role: "status", class: "word"});
  #detail = h("span", {class: "detail", "data-testid": "badge-detail"});
  #facts = new Facts();
  #button;

  /** @param {Connection} connection @param {(end: () => void) => void} until */
  constructor(connection, until) {
    this.#connection = connection;
    const popover = this.#facts.element;
    this.#button = h("button", {
      type: "button", class: "badge", "aria-haspopup": "dialog", "data-testid": "badge-button",
      onclick: () => openBelow(popover, this.#button),
    }, h("i", {class: "mark", "aria-hidden": "true"}), this.#word, " ", this.#detail);
    this.element = h("div", {"data-testid": "badge"}, this.#button, popover);
    const refresh = setInterval(() => this.#refresh(), REFRESH_MS);
    until(() => clearInterval(refresh));
    until(connection.onState(() => this.#refresh()));
    until(connection.onStatus(() => this.#refresh()));
  }

  #refresh() {
    const {state} = this.#connection;
    const stats = this.#connection.stats();
    const health = this.#connection.health();
    this.element.dataset.state = health.state;
    this.element.title = health.reason;
    const detail = detailOf(state, stats);
    setText(this.#word, health.word);
    setText(this.#detail, detail);
    // A button's name is not made of the status within it; it begins with what is seen.
    this.#button.ariaLabel = `${health.word} ${detail}: ${health.reason}`;
    if (this.#facts.isOpen) this.#facts.show(this.#connection, health, stats);
  }
}

/** @param {import("./core/session.js").StateChanged} change @param {Stats} stats */
function detailOf({state, way, reason}, {received_to_shown, per_second, last_message_age_ms}) {
  if (state === "connecting") return "";
  if (!CARRIES.has(state)) return reason;
  if (state === "stale") return `${WAYS[way]} · last heard ${age(last_message_age_ms)}`;
  const {p50_ms} = received_to_shown;
  const latency = state === "live" && p50_ms !== null ? [formatMs(p50_ms)] : [];
  return [WAYS[way], ...latency, formatRate(per_second)].join(" · ");
}

/** The layers one by one, in a popover. */
class Facts {
  #groups = h("div");
  element = h("div", {
    popover: "auto", role: "dialog", "aria-label": "Connection", class: "popover",
    "data-testid": "badge-popover",
  }, this.#groups, h("button", {
    type: "button", class: "more", title: "Debug panel (d)", "data-testid": "badge-debug", onclick: () => {
      this.element.hidePopover();
      window.dispatchEvent(new Event("quotewire:debug"));
    },
  }, "Debug panel …"));

  get isOpen() {
    return this.element.matches(":popover-open");
  }

  /** @param {Connection} connection @param {import("./health.js").Health} health @param {Stats} stats */
  show(connection, health, stats) {
    const carries = CARRIES.has(connection.state.state);
    this.#groups.replaceChildren(
      h("p", {class: "summary"}, h("b", {}, health.word), ` · ${health.reason}`),
      ...losses(connection.timeline),
      group("Browser – feed", linkFacts(connection, stats)),
      ...connection.sources.map((source) => group(
        `Feed – source: ${source.source}${carries ? "" : ", as last heard"}`, sourceFacts(source))),
      group("Latency p50 · p95 · p99", [
        ["Event – feed", percentiles(stats.event_to_received)],
        ["Feed – screen", percentiles(stats.received_to_shown)],
      ]),
      group("Prices", priceFacts(stats)),
      group("Lately", lately(connection.timeline)),
    );
  }
}

/** What is gone for good is said, not only counted. @param {import("./timeline.js").Timeline} timeline */
function losses(timeline) {
  return timeline.last("lost", 1).map(({symbol, interval, channel, reason, at_ms}) =>
    h("p", {class: "lost", "data-testid": "badge-lost"},
      `${formatClock(at_ms)} ${[symbol, interval, channel].filter(Boolean).join(" ")}: ${reason}`));
}

/** @param {Connection} connection @param {Stats} stats @returns {Fact[]} */
function linkFacts({state, feedUrl, now_ms}, stats) {
  return [
    ["Way", CARRIES.has(state.state) ? WAYS[state.way] : NOTHING],
    ["Address", new URL(feedUrl).host],
    ["Round trip", formatMs(stats.round_trip_ms)],
    ["Last message", age(stats.last_message_age_ms)],
    ["Received", formatBytes(stats.bytes)],
    ["Reconnects", formatCount(stats.reconnects)],
    ["In this state for", formatAge(now_ms - state.at_ms)],
  ];
}

/** @param {import("./protocol.js").SourceStatus} source @returns {Fact[]} */
function sourceFacts({state, label, message, symbols, next_try_ms, budgets = []}) {
  /** @type {Fact[]} */
  const facts = [["State", state], ["Data", label || "live"], ["Says", message || NOTHING]];
  if (symbols) facts.push(["Symbols asked", formatCount(symbols)]);
  if (next_try_ms) facts.push(["Next request", untilNow(next_try_ms)]);
  for (const {limit, per_s, left} of budgets) {
    facts.push([`Left of ${formatCount(limit)} per ${formatAge(per_s * 1000)}`, formatCount(left)]);
  }
  return facts;
}

/** @param {Stats} stats @returns {Fact[]} */
function priceFacts(stats) {
  return [
    ["Updates", formatRate(stats.per_second)],
    ["Last update", age(stats.last_data_age_ms)],
    ["Received", formatCount(stats.received)],
    ["Conflated", formatCount(stats.conflated)],
    ["Gaps", formatCount(stats.gaps)],
    ["Duplicates dropped", formatCount(stats.duplicates)],
    ["Late dropped", formatCount(stats.late)],
  ];
}

/** @param {import("./core/latency.js").Reading} reading */
function percentiles({p50_ms, p95_ms, p99_ms}) {
  return p50_ms === null ? NOTHING : [p50_ms, p95_ms, p99_ms].map(formatMs).join(" · ");
}

/**
 * The last states, and why.
 *
 * @param {import("./timeline.js").Timeline} timeline
 * @returns {Fact[]}
 */
function lately(timeline) {
  return timeline.last("state", TOLD).map(({at_ms, state, code}) =>
    [formatClock(at_ms), `${state} · ${code.replaceAll("_", " ")}`]);
}

/** @param {string} title @param {Fact[]} rows */
function group(title, rows) {
  const terms = rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
  return h("section", {}, h("h3", {}, title), h("dl", {}, ...terms));
}

/** @param {number} at_ms */
function untilNow(at_ms) {
  return at_ms <= Date.now() ? "now" : `in ${formatAge(at_ms - Date.now())}`;
}

/** @param {number | null} age_ms */
function age(age_ms) {
  return age_ms === null ? NOTHING : `${formatAge(age_ms)} ago`;
}
