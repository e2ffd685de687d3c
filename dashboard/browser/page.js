/**
 * What the whole page shares: the selected symbol and how data comes in.
 *
 * The symbol is in the address, so that a link shows a colleague the same; the transport is this
 * browser's own affair and is kept in it.
 */

import {Listeners} from "quotewire/listeners.js";

const MODES = ["auto", "websocket", "polling"];
const SYMBOL = /^[\w.:^=/-]{1,64}$/;
const MODE_KEY = "quotewire.transport";

class Page {
  /** @type {string | null} null until one is chosen */
  symbol = symbolFromAddress();
  /** @type {import("./machine.js").Mode | null} null where this browser has chosen none */
  storedMode = storedMode();
  #symbolChanged = new Listeners();
  #modeChanged = new Listeners();

  get mode() {
    return this.storedMode ?? "auto";
  }

  select(symbol) {
    if (symbol === this.symbol || !SYMBOL.test(symbol)) return;
    this.symbol = symbol;
    const address = new URL(location.href);
    address.searchParams.set("symbol", symbol);
    history.replaceState(history.state, "", address);
    this.#symbolChanged.tell(symbol);
  }

  setMode(mode) {
    if (mode === this.storedMode || !MODES.includes(mode)) return;
    this.storedMode = mode;
    store(MODE_KEY, mode);
    this.#modeChanged.tell(mode);
  }

  /** Both call the listener at once with what is known, and return what ends it. */
  onSymbol(listener) {
    return this.#symbolChanged.add(listener, this.symbol);
  }

  onMode(listener) {
    return this.#modeChanged.add(listener, this.mode);
  }
}

function symbolFromAddress() {
  const symbol = new URLSearchParams(location.search).get("symbol");
  return symbol !== null && SYMBOL.test(symbol) ? symbol : null;
}

function storedMode() {
  try {
    const mode = localStorage.getItem(MODE_KEY);
    return MODES.includes(mode) ? mode : null;
  } catch {
    return null; // storage may be forbidden, and then nothing is kept
  }
}

function store(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // as above
  }
}

export const page = new Page();
