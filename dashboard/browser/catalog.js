/**
 * Which instruments the feed has, and from which source each comes. Asked for until it names some,
 * and then now and then: others are added, and one may come from another source. Nothing is asked
 * while the page is not seen or the feed is away: the connection says when.
 */

import {Listeners} from "quotewire/listeners.js";

const RETRY_MS = 1000;
const RENEW_MS = 10_000;

/** @typedef {import("./protocol.js").SymbolInfo} SymbolInfo */

export class Catalog {
  /** @type {Map<string, SymbolInfo> | null} null until the feed told them */
  symbols = null;
  #ask;
  #environment;
  /** @type {Listeners<Map<string, SymbolInfo> | null>} */
  #listeners = new Listeners();
  /** @type {number | null} */
  #next = null;
  #told = "";
  #wanted = false;
  /** @type {Promise<void> | null} */
  #loading = null;

  /**
   * @param {() => Promise<{symbols: SymbolInfo[]}>} ask for the body of `/api/symbols`
   * @param {import("./environment.js").Environment} environment
   */
  constructor(ask, environment) {
    this.#ask = ask;
    this.#environment = environment;
  }

  /** @param {(symbols: Map<string, SymbolInfo> | null) => void} listener */
  onChange(listener) {
    return this.#listeners.add(listener, this.symbols);
  }

  /** Keep it up to date from now on, or let it be. @param {boolean} wanted */
  keep(wanted) {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    if (wanted) this.load();
    else this.#wait(null);
  }

  /** Returns when it is loaded or has failed. */
  load() {
    this.#loading ??= this.#load().finally(() => (this.#loading = null));
    return this.#loading;
  }

  /** Load it as it is from now on: an answer that is on its way may be of before. */
  async renew() {
    await this.#loading;
    await this.load();
  }

  async #load() {
    this.#wait(null);
    let wait_ms = RENEW_MS;
    try {
      this.#take((await this.#ask()).symbols);
    } catch (error) {
      console.debug(`quotewire: no symbols yet: ${error}`);
      wait_ms = RETRY_MS;
    }
    if (this.#wanted) this.#wait(wait_ms);
  }

  /** Nobody hears of what is as it was. @param {SymbolInfo[]} symbols */
  #take(symbols) {
    if (!symbols.length) throw new Error("the feed has none yet");
    const told = JSON.stringify(symbols);
    if (told === this.#told) return;
    this.#told = told;
    this.symbols = new Map(symbols.map((info) => [info.symbol, info]));
    this.#listeners.tell(this.symbols);
  }

  /** @param {number | null} wait_ms null for ever */
  #wait(wait_ms) {
    if (this.#next !== null) this.#environment.clearTimeout(this.#next);
    this.#next = wait_ms === null ? null : this.#environment.setTimeout(() => this.load(), wait_ms);
  }
}
