/** The connection badge: one word for the whole path, and on a click all its layers. */

import {h, setText} from "quotewire/dom.js";
import {
  NOTHING, formatAge, formatCount, formatMs, formatRate,
} from "quotewire/format.js";
import {mount} from "quotewire/live.js";
import {openBelow} from "quotewire/popover.js";

const REFRESH_MS = 500;
const BY = {live: "WebSocket", polling: "HTTP"};

export function render(context) {
  return mount(context, (connection, until) => new Badge(connection, until).element);
}

class Badge {
  #connection;
  #word = h("span", {role: "status", class: "word"});
  #detail = h("span", {class: "detail", "data-testid": "badge-detail"});
  #facts = new Facts();

  constructor(connection, until) {
    this.#connection = connection;
    const popover = this.#facts.element;
    const button = h("button", {
      type: "button", class: "badge", "aria-haspopup": "dialog", "data-testid": "badge-button",
      onclick: () => openBelow(popover, button),
    }, h("i", {class: "mark", "aria-hidden": "true"}), this.#word, this.#detail);
    this.element = h("div", {"data-testid": "badge"}, button, popover);
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
    setText(this.#word, health.word);
    setText(this.#detail, detailOf(state, stats));
    if (this.#facts.isOpen) this.#facts.show(this.#connection, health, stats);
  }
}

function detailOf({state}, {latency_p50_ms, per_second}) {
  if (!BY[state]) return "";
  const latency = state === "live" && latency_p50_ms !== null ? [formatMs(latency_p50_ms)] : [];
  return [BY[state], ...latency, formatRate(per_second)].join(" · ");
}

/** The layers one by one, in a popover. */
class Facts {
  #groups = h("div");
  element = h("div", {
    popover: "auto", role: "dialog", "aria-label": "Connection", class: "popover",
    "data-testid": "badge-popover",
  }, this.#groups);

  get isOpen() {
    return this.element.matches(":popover-open");
  }

  show(connection, health, stats) {
    const {state, sources, feedUrl} = connection;
    this.#groups.replaceChildren(
      h("p", {class: "summary"}, h("b", {}, health.word), ` · ${health.reason}`),
      group("Browser – feed", [
        ["Way", BY[state.state] ?? NOTHING],
        ["Address", new URL(feedUrl).host],
        ["Round trip", formatMs(stats.round_trip_ms)],
        ["Last message", age(stats.last_message_age_ms)],
        ["Reconnects", formatCount(stats.reconnects)],
        ["In this state for", formatAge(Date.now() - state.at_ms)],
      ]),
      ...sources.map((source) => group(`Feed – source: ${source.source}`, [
        ["State", source.state],
        ["Data", source.label || "live"],
        ["Says", source.message || NOTHING],
        ...(source.symbols ? [["Symbols asked", formatCount(source.symbols)]] : []),
        ...(source.next_try_ms ? [["Next request", untilNow(source.next_try_ms)]] : []),
        ...(source.budgets ?? []).map(({limit, per_s, left}) =>
          [`Left of ${formatCount(limit)} per ${formatAge(per_s * 1000)}`, formatCount(left)]),
      ])),
      group("Prices", [
        ["Latency p50", formatMs(stats.latency_p50_ms)],
        ["Latency p95", formatMs(stats.latency_p95_ms)],
        ["Updates", formatRate(stats.per_second)],
        ["Last update", age(stats.last_data_age_ms)],
        ["Received", formatCount(stats.received)],
        ["Conflated", formatCount(stats.conflated)],
        ["Duplicates dropped", formatCount(stats.duplicates)],
        ["Late dropped", formatCount(stats.late)],
      ]),
    );
  }
}

function group(title, rows) {
  const terms = rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
  return h("section", {}, h("h3", {}, title), h("dl", {}, ...terms));
}

function untilNow(at_ms) {
  return at_ms <= Date.now() ? "now" : `in ${formatAge(at_ms - Date.now())}`;
}

function age(age_ms) {
  return age_ms === null ? NOTHING : `${formatAge(age_ms)} ago`;
}
