/** The feed's end: sources, gateways, Redis. */

import {h, setText} from "quotewire/dom.js";
import {Facts, Mark, card} from "quotewire/debug/parts.js";
import {budgetWords, circuitWords, refusedWords, whenWords} from "quotewire/debug/source_words.js";
import {NOTHING, formatAge, formatBytes, formatCount, formatMs, formatPercent, formatRate, formatTime} from "quotewire/format.js";

/** @typedef {import("./feed_facts.js").GatewayReport} GatewayReport */
/** @type {Record<string, string>} */
const TONES = {live: "good", connecting: "busy", closed: "idle", down: "bad"};

/** A titled group of facts, of which there are several by name. */
class Group {
  #mark = new Mark();
  #title = h("b");
  #detail = h("span", {class: "muted"});
  #facts = new Facts();
  element = h("div", {class: "group"},
    h("p", {class: "word"}, this.#mark.element, this.#title, this.#detail), this.#facts.element);

  /** @param {string} tone @param {string} title @param {string} detail @param {[string, string][]} facts */
  show(tone, title, detail, facts) {
    this.#mark.show(tone);
    setText(this.#title, title);
    setText(this.#detail, detail);
    this.#facts.show(facts);
  }
}

class Groups {
  element = h("div", {class: "groups"});
  /** @type {Group[]} */
  #groups = [];

  /** @param {Parameters<Group["show"]>[]} told */
  show(told) {
    while (this.#groups.length > told.length) this.#groups.pop()?.element.remove();
    while (this.#groups.length < told.length) {
      const group = new Group();
      this.#groups.push(group);
      this.element.append(group.element);
    }
    told.forEach((one, i) => this.#groups[i].show(...one));
  }
}

export class SourcesCard {
  #groups = new Groups();
  #empty = h("p", {class: "empty"}, "No source has said how it does.");
  element = card("Sources", "sources", {}, this.#groups.element, this.#empty);

  /** @param {import("../protocol.js").SourceStatus[]} sources @param {number} now_ms */
  show(sources, now_ms) {
    this.#empty.hidden = sources.length > 0;
    this.#groups.show(sources.map((source) => [
      TONES[source.state], source.source, [source.label, source.message].filter(Boolean).join(" · "),
      sourceFacts(source, now_ms),
    ]));
  }
}

/** @param {import("../protocol.js").SourceStatus} source @param {number} now_ms @returns {[string, string][]} */
function sourceFacts(source, now_ms) {
  const {market_ms, symbols = 0, next_try_ms, budgets = [], refused} = source;
  return [
    ["Circuit", circuitWords(source, now_ms)],
    ["Next poll", whenWords(next_try_ms, now_ms)],
    ...(budgets.length ? budgets : [null]).map((budget) =>
      /** @type {[string, string]} */ (["Budget", budget ? budgetWords(budget) : "no limit known"])),
    ["Symbols asked for", formatCount(symbols)],
    ["Refused", refusedWords(refused)],
    ["Market time", market_ms === null ? NOTHING : formatTime(market_ms, "UTC")],
  ];
}

export class GatewaysCard {
  #groups = new Groups();
  #note = h("p", {class: "note", role: "status", "data-testid": "debug-gateways-note"});
  element = card("Gateways and Redis", "gateways", {}, this.#note, this.#groups.element);

  /** @param {import("./feed_facts.js").FeedFacts} feed @param {number} now_ms */
  show({gateways: told, problem, rates}, now_ms) {
    const since = problem && told ? " What is shown is what it told last." : "";
    setText(this.#note, problem ? `The feed does not tell how it does: ${problem.reason}.${since}` : "");
    if (!told) return;
    const {server, gateways, redis} = told;
    this.#groups.show([
      ...gateways.map((one) => /** @type {Parameters<Group["show"]>} */ ([
        toneOf(one), one.server, one.server === server ? "this page’s" : "",
        gatewayFacts(one, rates.get(one.server), now_ms),
      ])),
      [redis.reachable && !redis.evicted_keys ? "good" : redis.reachable ? "warn" : "bad", "Redis",
        redis.message || [redis.role, redis.version].filter(Boolean).join(" · "), redisFacts(redis)],
    ]);
  }
}

/** @param {GatewayReport} report */
function toneOf({hears, rate, clients_behind, symbols_behind}) {
  if (!hears) return "bad";
  return rate < 1 || clients_behind || symbols_behind ? "warn" : "good";
}

/** @param {GatewayReport} one @param {Record<string, number> | undefined} rates @param {number} now_ms @returns {[string, string][]} */
function gatewayFacts(one, rates, now_ms) {
  const pair = (/** @type {number | null} */ p50, /** @type {number | null} */ p99) =>
    (p50 === null ? NOTHING : `${fineMs(p50)} · ${fineMs(p99)}`);
  const per = (/** @type {string} */ name) => (rates ? formatRate(rates[name]) : NOTHING);
  return [
    ["Clients", withBehind(one.clients, one.clients_behind)],
    ["Cohorts", formatCount(one.cohorts)],
    ["Symbols kept current", withBehind(one.symbols, one.symbols_behind)],
    ["Flush p50 · p99", pair(one.flush_p50_ms, one.flush_p99_ms)],
    ["Source – gateway p50 · p99", pair(one.latency_p50_ms, one.latency_p99_ms)],
    ["Backlog", one.backlog_bytes
      ? `${formatBytes(one.backlog_bytes)}, largest ${formatBytes(one.largest_backlog_bytes)}` : "none"],
    ["Redis lag", one.hears ? fineMs(one.redis_lag_ms) : "deaf: hears nothing"],
    ["Rate given", formatPercent(one.rate).replace("+", "")],
    ["Updates in · frames out", rates ? `${per("updates")} · ${per("frames")}` : NOTHING],
    ["Data out", rates ? `${formatBytes(rates.sent_bytes)}/s` : NOTHING],
    ["Frames left out", formatCount(one.missed)],
    ["Up for", formatAge(now_ms - one.started_ms)],
  ];
}

/** @param {import("./feed_facts.js").RedisState} redis @returns {[string, string][]} */
function redisFacts(redis) {
  const count = (/** @type {number | undefined} */ value) => (value === undefined ? NOTHING : formatCount(value));
  const bytes = (/** @type {number | undefined} */ value) => (value === undefined ? NOTHING : formatBytes(value));
  const memory = redis.max_memory_bytes
    ? `${bytes(redis.used_memory_bytes)} of ${bytes(redis.max_memory_bytes)}` : bytes(redis.used_memory_bytes);
  return [
    ["Answers in", fineMs(redis.ping_ms)],
    ["Memory", memory],
    ["Commands", redis.commands_per_s === undefined ? NOTHING : formatRate(redis.commands_per_s)],
    ["Connections", count(redis.clients)],
    ["Channels heard", count(redis.channels)],
    ["Evicted keys", count(redis.evicted_keys)],
    ["Up for", redis.uptime_s === undefined ? NOTHING : formatAge(redis.uptime_s * 1000)],
  ];
}

/** Also parts of a millisecond. @param {number | null | undefined} ms */
function fineMs(ms) {
  if (ms === null || ms === undefined) return NOTHING;
  return ms < 10 ? `${Math.round(ms * 100) / 100} ms` : formatMs(ms);
}

/** @param {number} count @param {number} behind */
function withBehind(count, behind) {
  return behind ? `${formatCount(count)}, ${formatCount(behind)} behind` : formatCount(count);
}
