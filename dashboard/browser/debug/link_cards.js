/** The browser's own end: layers, counts, what befell the connection, and what is asked for. */

import {h, setText} from "quotewire/dom.js";
import {freshnessLayer, linkLayer, panelLayer, sourceLayer} from "quotewire/debug/layers.js";
import {Facts, Mark, Table, card} from "quotewire/debug/parts.js";
import {mostWanted, quotedOf, rowsOf} from "quotewire/debug/subscription_rows.js";
import {entryWords} from "quotewire/debug/timeline_words.js";
import {NOTHING, formatAge, formatBytes, formatClock, formatCount, formatMs, formatRate} from "quotewire/format.js";

/** @typedef {import("../connection.js").Connection} Connection */
/** @typedef {ReturnType<Connection["stats"]>} Stats */

const LAYERS = ["panel", "link", "source", "freshness"];
const SHOWN_SYMBOLS = 8;
const MOST_WANTED = 50;

export class LayerTiles {
  #tiles = LAYERS.map((name) => new Tile(name));
  element = h("div", {class: "layers", role: "list", "aria-label": "Layers", "data-testid": "debug-layers"},
    ...this.#tiles.map(({element}) => element));

  /** @param {Connection} connection @param {Stats} stats @param {import("./server_watch.js").ServerState} server @param {number} now_ms */
  show(connection, stats, server, now_ms) {
    const ages = quotedOf(connection.wants).map((symbol) => connection.freshness(symbol));
    [
      panelLayer(server, now_ms), linkLayer(connection.state, stats.round_trip_ms, now_ms),
      sourceLayer(connection.sources), freshnessLayer(ages),
    ].forEach((layer, i) => this.#tiles[i].show(layer));
  }
}

class Tile {
  #mark = new Mark();
  #name = h("h3");
  #word = h("b");
  #detail = h("small");

  /** @param {string} name */
  constructor(name) {
    this.element = h("div", {class: "tile", role: "listitem", "data-testid": `debug-layer-${name}`},
      this.#name, h("p", {class: "word"}, this.#mark.element, this.#word), this.#detail);
  }

  /** @param {import("./layers.js").Layer} layer */
  show({name, tone, word, detail}) {
    this.element.dataset.tone = tone;
    this.#mark.show(tone);
    setText(this.#name, name);
    setText(this.#word, word);
    setText(this.#detail, detail);
    this.element.title = detail;
  }
}

export class CountsCard {
  #facts = new Facts();
  element = card("Flow", "counts", {}, this.#facts.element);

  /** @param {Connection} connection @param {Stats} stats @param {import("./recorder.js").Recorder} recorder */
  show({feedUrl}, stats, {series}) {
    const last = series.points.at(-1)?.values;
    this.#facts.show([
      ["Updates", formatRate(stats.per_second)],
      ["Messages", last ? formatRate(last.messages ?? 0) : NOTHING],
      ["Bytes pushed", last ? `${formatBytes(last.bytes ?? 0)}/s` : NOTHING],
      ["Pushed in all", formatBytes(stats.bytes)],
      ["Rows received", formatCount(stats.received)],
      ["Conflated", formatCount(stats.conflated)],
      ["Gaps", formatCount(stats.gaps)],
      ["Duplicates dropped", formatCount(stats.duplicates)],
      ["Late dropped", formatCount(stats.late)],
      ["Reconnects", formatCount(stats.reconnects)],
      ["Last message", ago(stats.last_message_age_ms)],
      ["Last update", ago(stats.last_data_age_ms)],
      ["Clock of the feed", stats.clock_offset_ms === null ? NOTHING : signedMs(stats.clock_offset_ms)],
      ["Feed", new URL(feedUrl).host],
    ]);
  }
}

export class TimelineCard {
  #list = h("ol", {class: "timeline", "data-testid": "debug-timeline-list"});
  #count = h("span", {class: "muted"});
  #told = "";
  element = card("Connection timeline", "timeline", {note: this.#count},
    h("div", {class: "scroll", tabindex: "0", role: "group", "aria-label": "Connection timeline"}, this.#list));

  /** @param {Connection} connection */
  show({timeline: {entries}}) {
    setText(this.#count, entries.length ? "newest first" : "");
    const last = entries.at(-1);
    const told = last ? `${entries.length} ${last.at_ms} ${last.kind} ${last.reason} ${formatClock(last.at_ms)}` : "";
    if (told === this.#told) return;
    this.#told = told;
    this.#list.replaceChildren(...entries.toReversed().map(entryRow));
  }
}

/** @param {import("../timeline.js").Entry} entry */
function entryRow(entry) {
  const {tone, what, why} = entryWords(entry);
  const mark = new Mark();
  mark.show(tone);
  return h("li", {"data-kind": entry.kind}, h("time", {datetime: new Date(entry.at_ms).toISOString()},
    formatClock(entry.at_ms)), mark.element, h("p", {}, h("b", {}, what), " ", h("span", {}, why)));
}

export class SubscriptionsCard {
  #own = new Table([{title: "This page"}, {title: "Symbols"}, {title: "Asked by", number: true}],
    "Subscriptions of this page", "Nothing is asked for.");
  #feed = new Table([{title: "All clients of the feed"}, {title: "Wanted by", number: true}],
    "Symbols that are wanted of the feed", "Nobody wants any symbol.");
  #note = h("span", {class: "muted"});
  element = card("Subscriptions", "subscriptions", {note: this.#note}, this.#own.element, this.#feed.element);

  /** @param {Connection} connection @param {import("./feed_facts.js").FeedFacts} feed */
  show({wants}, {subscriptions}) {
    this.#own.show(rowsOf(wants).map(({what, symbols, askers}) =>
      [what, symbolWords(symbols), formatCount(askers)]));
    const {told, left, symbols} = mostWanted(subscriptions ?? {}, MOST_WANTED);
    setText(this.#note, subscriptions ? `${formatCount(symbols)} symbols at the feed` : "");
    const rows = told.map(([symbol, count]) => [symbol, count ? formatCount(count) : "kept a while"]);
    this.#feed.show(left ? [...rows, [`and ${formatCount(left)} more`, ""]] : rows);
  }
}

/** @param {string[]} symbols */
function symbolWords(symbols) {
  const shown = symbols.slice(0, SHOWN_SYMBOLS).join(" ");
  return symbols.length > SHOWN_SYMBOLS ? `${shown} … ${formatCount(symbols.length)} in all` : shown;
}

/** @param {number | null} age_ms */
function ago(age_ms) {
  return age_ms === null ? NOTHING : `${formatAge(age_ms)} ago`;
}

/** @param {number} offset_ms */
function signedMs(offset_ms) {
  if (Math.round(offset_ms) === 0) return "as ours";
  const size_ms = Math.abs(offset_ms);
  return `${size_ms < 60_000 ? formatMs(size_ms) : formatAge(size_ms)} ${offset_ms > 0 ? "ahead" : "behind"}`;
}
