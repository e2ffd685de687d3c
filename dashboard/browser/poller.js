/**
 * One round of polling: everything that is wanted, asked for over HTTP.
 *
 * A round is good only where it brought the quotes that are wanted: a feed that refuses them is
 * there, but what is on the screen grows old all the same.
 */

import * as http from "quotewire/transports/polling.js";

const NONE_KNOWN = "the feed has none of the symbols shown";

export class Poller {
  #feed;
  #wanted;
  #catalog;
  #history;
  #handlers;

  /**
   * @param {import("./feed.js").Feed} feed
   * @param {import("./subscriptions.js").Subscriptions} wanted
   * @param {import("./catalog.js").Catalog} catalog what the feed has: no other symbol is asked for
   * @param {import("./history.js").History} history brings the bars up to date
   * @param {{onStatus: (message: any) => void, onQuotes: (message: any) => void}} handlers
   */
  constructor(feed, wanted, catalog, history, handlers) {
    this.#feed = feed;
    this.#wanted = wanted;
    this.#catalog = catalog;
    this.#history = history;
    this.#handlers = handlers;
  }

  /** @returns {Promise<import("./machine.js").Event>} how it went */
  async ask() {
    try {
      await Promise.all([this.#status(), this.#quotes(), ...this.#bars()]);
      return {type: "poll_ok"};
    } catch (error) {
      const code = error instanceof http.FeedError ? error.code : "unreachable";
      return {type: "poll_failed", code, reason: http.explain(error)};
    }
  }

  async #status() {
    this.#handlers.onStatus(await http.fetchStatus(this.#feed));
  }

  /** One symbol that the feed no longer has makes it refuse all: learn what it has, ask again. */
  async #quotes() {
    try {
      await this.#quotesOfKnown();
    } catch (error) {
      if (!http.isUnknownSymbol(error)) throw error;
      await this.#catalog.load();
      await this.#quotesOfKnown();
    }
  }

  async #quotesOfKnown() {
    const wanted = this.#wanted.symbols("quotes");
    const known = wanted.filter((symbol) => this.#catalog.has(symbol));
    if (known.length) this.#handlers.onQuotes(await http.fetchQuotes(this.#feed, known));
    else if (wanted.length) throw new http.FeedError("unknown_symbol", NONE_KNOWN);
  }

  #bars() {
    return this.#wanted.series()
      .filter(({symbol}) => this.#catalog.has(symbol))
      .map(({symbol, interval}) => this.#fill(symbol, interval));
  }

  /** A refusal of one series leaves the quotes good. */
  async #fill(symbol, interval) {
    try {
      await this.#history.fill(symbol, interval);
    } catch (error) {
      if (http.isOutage(error)) throw error;
      console.debug(`quotewire: no bars of ${symbol}: ${error.message}`);
    }
  }
}
