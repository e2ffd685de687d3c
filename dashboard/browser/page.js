/**
 * What the whole page shares: the selected symbol. On a page of ours it is in the address, so that a
 * link shows a colleague the same; the address of a notebook is left alone.
 */

import {Listeners} from "quotewire/listeners.js";

const SYMBOL = /^[\w.:^=/-]{1,64}$/;

class Page {
  /** @type {string | null} null until one is chosen */
  symbol = symbolFromAddress();
  /** Whether the address is ours to change. */
  inAddress = false;
  /** @type {Listeners<string | null>} */
  #symbolChanged = new Listeners();

  /** @param {string} symbol */
  select(symbol) {
    if (symbol === this.symbol || !SYMBOL.test(symbol)) return;
    this.symbol = symbol;
    if (this.inAddress) this.#putInAddress(symbol);
    this.#symbolChanged.tell(symbol);
  }

  /** @param {string} symbol */
  #putInAddress(symbol) {
    const address = new URL(location.href);
    address.searchParams.set("symbol", symbol);
    history.replaceState(history.state, "", address);
  }

  /**
   * Calls the listener at once with what is known, and returns what ends it.
   *
   * @param {(symbol: string | null) => void} listener
   */
  onSymbol(listener) {
    return this.#symbolChanged.add(listener, this.symbol);
  }
}

function symbolFromAddress() {
  const symbol = new URLSearchParams(location.search).get("symbol");
  return symbol !== null && SYMBOL.test(symbol) ? symbol : null;
}

export const page = new Page();
