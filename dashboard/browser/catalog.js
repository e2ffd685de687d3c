/**
 * Which instruments the feed has, and from which source each comes. Asked for until it names some,
 * and then now and then: others are added, and one may come from another source.
 */

import {Listeners} from "quotewire/listeners.js";
import {fetchSymbols, isRefusal} from "quotewire/transports/polling.js";

const RETRY_MS = 1000;
const RENEW_MS = 10_000;

export class Catalog {
  /** @type {Map<string, import("./protocol.js").SymbolInfo> | null} null until the feed told them */
  symbols = null;
  #feed;
  #listeners = new Listeners();
  #next = 0;
  #told = "";
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
    clearTimeout(this.#next);
    try {
      this.#take(await fetchSymbols(this.#feed));
      this.#loadIn(RENEW_MS);
    } catch (error) {
      console.debug("quotewire: no symbols yet:", error.message);
      if (!isRefusal(error)) this.#loadIn(RETRY_MS);
    }
  }

  /** Nobody hears of what is as it was. */
  #take(symbols) {
    if (!symbols.length) throw new Error("the feed has none yet");
    const told = JSON.stringify(symbols);
    if (told === this.#told) return;
    this.#told = told;
    this.symbols = new Map(symbols.map((info) => [info.symbol, info]));
    this.#listeners.tell(this.symbols);
  }

  #loadIn(wait_ms) {
    clearTimeout(this.#next);
    if (!this.#stopped) this.#next = setTimeout(() => this.load(), wait_ms);
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#next);
  }
}
