/** All of the debug panel, for a drawer or for a page of its own. */

import {diagnosticsOf, fileName} from "quotewire/debug/diagnostics.js";
import {DrillBar} from "quotewire/debug/drill_bar.js";
import {GatewaysCard, SourcesCard} from "quotewire/debug/feed_cards.js";
import {FeedFacts} from "quotewire/debug/feed_facts.js";
import {LatencyCard} from "quotewire/debug/latency_card.js";
import {CountsCard, LayerTiles, SubscriptionsCard, TimelineCard} from "quotewire/debug/link_cards.js";
import {MessagesCard} from "quotewire/debug/messages_card.js";
import {button} from "quotewire/debug/parts.js";
import {recorderOf} from "quotewire/debug/recorder.js";
import {watchServer} from "quotewire/debug/server_watch.js";
import {h} from "quotewire/dom.js";
import {saveFile} from "quotewire/exports/hand_over.js";
import {settings} from "quotewire/settings.js";

const REFRESH_MS = 500;

export class DebugPanel {
  #connection;
  #recorder;
  #feed;
  #server;
  #layers = new LayerTiles();
  #drill;
  #latency;
  #counts = new CountsCard();
  #timeline = new TimelineCard();
  #messages;
  #subscriptions = new SubscriptionsCard();
  #sources = new SourcesCard();
  #gateways = new GatewaysCard();
  /** @type {(() => void)[]} */
  #ends = [];

  /**
   * @param {import("../panel.d.ts").ElementContext} context
   * @param {import("../connection.js").Connection} connection
   * @param {(end: () => void) => void} until
   * @param {...Node} beside what can be done
   */
  constructor(context, connection, until, ...beside) {
    this.#connection = connection;
    this.#recorder = recorderOf(connection);
    this.#feed = new FeedFacts(connection);
    this.#server = watchServer(context.view);
    this.#drill = new DrillBar(connection.drill);
    this.#latency = new LatencyCard(context, until);
    this.#messages = new MessagesCard(this.#recorder.ring);
    this.element = h("div", {class: "debug", "data-testid": "debug"},
      h("div", {class: "bar"}, this.#drill.element, ...beside, button("Download diagnostics", {
        title: "All of this as JSON, without secrets", "data-testid": "debug-download", onclick: () => this.#download(),
      })),
      this.#layers.element,
      h("div", {class: "cards"}, this.#latency.element, this.#counts.element, this.#timeline.element,
        this.#messages.element, this.#subscriptions.element, this.#sources.element, this.#gateways.element));
    until(() => this.stop());
  }

  /** Record and show, until `stop`. */
  start() {
    if (this.#ends.length) return;
    const timer = setInterval(() => this.#show(), REFRESH_MS);
    this.#ends = [() => clearInterval(timer), this.#recorder.use(), this.#feed.follow()];
    this.#show();
  }

  stop() {
    this.#ends.splice(0).forEach((end) => end());
  }

  #show() {
    const now_ms = Date.now();
    const stats = this.#connection.stats();
    this.#layers.show(this.#connection, stats, this.#server, now_ms);
    this.#drill.show(now_ms);
    this.#latency.show(this.#recorder, stats, now_ms);
    this.#counts.show(this.#connection, stats, this.#recorder);
    this.#timeline.show(this.#connection);
    this.#messages.show();
    this.#subscriptions.show(this.#connection, this.#feed);
    this.#sources.show(this.#feed.sources ?? this.#connection.sources, now_ms);
    this.#gateways.show(this.#feed, now_ms);
  }

  #download() {
    const connection = this.#connection;
    const {latency, series, ring} = this.#recorder;
    const now_ms = Date.now();
    const facts = {
      made_at: new Date(now_ms).toISOString(),
      page: {
        address: window.location.href, browser: navigator.userAgent, language: navigator.language,
        zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
        size: [window.innerWidth, window.innerHeight], is_hidden: document.hidden,
      },
      settings: settings.values,
      feed_url: connection.feedUrl,
      panel: {...this.#server},
      state: connection.state,
      stats: connection.stats(),
      timeline: connection.timeline.entries,
      wants: connection.wants,
      sources: this.#feed.sources ?? connection.sources,
      gateways: this.#feed.gateways,
      subscriptions: this.#feed.subscriptions,
      latency: {event: latency.event.counts, painted: latency.painted.counts},
      series: series.points,
      messages: ring.all(),
    };
    const text = diagnosticsOf(facts, [connection.token]);
    saveFile(new Blob([text], {type: "application/json"}), fileName(now_ms));
  }
}
