/**
 * What the whole page shares: the selected symbol and how data comes in.
 *
 * The symbol is in the address, so that a link shows a colleague the same; the transport is this
 * browser's own affair and is kept in it.
 */

import {Listeners} from "quotewire/listeners.js";

/** @typedef {import("./machine.js").Mode} Mode */

/** @type {Mode[]} */
const MODES = ["auto", "websocket", "polling"];
const SYMBOL = /^[\w.:^=/-]{1,64}$/;
const MODE_KEY = "quotewire.transport";

class Page {
  /** @type {string | null} null until one is chosen */
  symbol = symbolFromAddress();
  /** @type {Mode | null} null where this browser has chosen none */
  storedMode = storedMode();
  /** @type {Listeners<string | null>} */
  #symbolChanged = new Listeners();
  /** @type {Listeners<Mode>} */
  #modeChanged = new Listeners();

  get mode() {
    return this.storedMode ?? "auto";
  }

  /** @param {string} symbol */
  select(symbol) {
    if (symbol === this.symbol || !SYMBOL.test(symbol)) return;
    this.symbol = symbol;
    const address = new URL(location.href);
    address.searchParams.set("symbol", symbol);
    history.replaceState(history.state, "", address);
    this.#symbolChanged.tell(symbol);
  }

  /** @param {Mode} mode */
  setMode(mode) {
    if (mode === this.storedMode || !MODES.includes(mode)) return;
    this.storedMode = mode;
    store(MODE_KEY, mode);
    this.#modeChanged.tell(mode);
  }

  /**
   * Both call the listener at once with what is known, and return what ends it.
   *
   * @param {(symbol: string | null) => void} listener
   */
  onSymbol(listener) {
    return this.#symbolChanged.add(listener, this.symbol);
  }

  /** @param {(mode: Mode) => void} listener */
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
    return MODES.find((known) => known === mode) ?? null;
  } catch {
    return null; // storage may be forbidden, and then nothing is kept
  }
}

/** @param {string} key @param {string} value */
function store(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // as above
  }
}

export const page = new Page();
