/** Which instruments the feed has. Asked for until it names some. */

import {Listeners} from "quotewire/listeners.js";
import {fetchSymbols} from "quotewire/transports/polling.js";

const RETRY_MS = 1000;

export class Catalog {
  /** @type {Map<string, import("./protocol.js").SymbolInfo> | null} null until the feed told them */
  symbols = null;
  #feedUrl;
  #listeners = new Listeners();
  #retry = 0;
  #stopped = false;

  constructor(feedUrl) {
    this.#feedUrl = feedUrl;
  }

  /** @returns {() => void} ends it */
  onChange(listener) {
    return this.#listeners.add(listener, this.symbols);
  }

  /** Whether the feed has a symbol, as far as is known: all are had until it told. */
  has(symbol) {
    return this.symbols?.has(symbol) ?? true;
  }

  /** Returns when it is loaded, or has failed and will be tried again. */
  async load() {
    clearTimeout(this.#retry);
    try {
      const symbols = await fetchSymbols(this.#feedUrl);
      if (!symbols.length) throw new Error("the feed has none yet");
      this.symbols = new Map(symbols.map((info) => [info.symbol, info]));
      this.#listeners.tell(this.symbols);
    } catch (error) {
      console.debug("quotewire: no symbols yet:", error.message);
      if (!this.#stopped) this.#retry = setTimeout(() => this.load(), RETRY_MS);
    }
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#retry);
  }
}
