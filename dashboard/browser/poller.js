/** One round of polling: everything that is wanted, asked for over HTTP. */

import * as http from "quotewire/transports/polling.js";

export class Poller {
  #feedUrl;
  #wanted;
  #history;
  #handlers;

  /**
   * @param {string} feedUrl
   * @param {import("./subscriptions.js").Subscriptions} wanted
   * @param {import("./history.js").History} history brings the bars up to date
   * @param {{onStatus: (message: any) => void, onQuotes: (message: any) => void}} handlers
   */
  constructor(feedUrl, wanted, history, handlers) {
    this.#feedUrl = feedUrl;
    this.#wanted = wanted;
    this.#history = history;
    this.#handlers = handlers;
  }

  /** @returns {Promise<import("./machine.js").Event>} how it went */
  async ask() {
    try {
      await Promise.all([this.#status(), this.#quotes(), ...this.#bars()]);
    } catch (error) {
      // A feed that answers with a refusal is there.
      if (http.isOutage(error)) return {type: "poll_failed", reason: http.explain(error)};
    }
    return {type: "poll_ok"};
  }

  async #status() {
    this.#handlers.onStatus(await http.fetchStatus(this.#feedUrl));
  }

  async #quotes() {
    const symbols = this.#wanted.symbols("quotes");
    if (symbols.length) this.#handlers.onQuotes(await http.fetchQuotes(this.#feedUrl, symbols));
  }

  #bars() {
    return this.#wanted.series().map(({symbol, interval}) => this.#history.fill(symbol, interval));
  }
}
