/** Which instruments the feed has. Asked for until it names some. */

import {Listeners} from "quotewire/listeners.js";
import {fetchSymbols, isRefusal} from "quotewire/transports/polling.js";

const RETRY_MS = 1000;

export class Catalog {
  /** @type {Map<string, import("./protocol.js").SymbolInfo> | null} null until the feed told them */
  symbols = null;
  #feed;
  #listeners = new Listeners();
  #retry = 0;
  #stopped = false;

  /** @param {import("./feed.js").Feed} feed */
  constructor(feed) {
    this.#feed = feed;
  }

  /** @returns {() => void} ends it */
  onChange(listener) {
    return this.#listeners.add(listener, this.symbols);
  }

  /** Whether the feed has a symbol, as far as is known: all are had until it told. */
  has(symbol) {
    return this.symbols?.has(symbol) ?? true;
  }

  /** Returns when it is loaded, or has failed and, unless refused, will be tried again. */
  async load() {
    clearTimeout(this.#retry);
    try {
      const symbols = await fetchSymbols(this.#feed);
      if (!symbols.length) throw new Error("the feed has none yet");
      this.symbols = new Map(symbols.map((info) => [info.symbol, info]));
      this.#listeners.tell(this.symbols);
    } catch (error) {
      console.debug("quotewire: no symbols yet:", error.message);
      if (!this.#stopped && !isRefusal(error)) this.#retry = setTimeout(() => this.load(), RETRY_MS);
    }
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#retry);
  }
}
