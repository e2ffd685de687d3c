/**
 * Asks the feed where a session's price has been before this page saw it, for the small lines that are
 * in view. Only where that costs no vendor's budget, a few at a time and when the browser has nothing
 * else to do; what fails is let be: the line then begins with what the page has seen.
 */

import {CONNECTED} from "quotewire/connection.js";
import {pause} from "quotewire/pause.js";
import {SeedPlan, isFree, seedOf, seedQuery} from "quotewire/seed_plan.js";
import {pathsOf} from "quotewire/session_paths.js";

/**
 * @typedef {import("./connection.js").Connection} Connection
 * @typedef {object} Lines those of one element
 * @property {() => Iterable<string>} symbols whose lines are in the page
 * @property {(symbol: string) => boolean} [isInView] of these; without it all are
 * @property {(symbol: string) => void} redraw its line goes further back now
 */

const AT_A_TIME = 2;
const LOOK_MS = 1000;
/** A browser that is never idle is asked no longer. */
const IDLE_MS = 2000;

class SessionSeeds {
  #connection;
  #paths;
  #plan = new SeedPlan();
  /** @type {Set<Lines>} */
  #lines = new Set();
  /** Have a seed that is not drawn yet. @type {Set<string>} */
  #fresh = new Set();
  #running = 0;
  #willLook = false;
  #isAway = false;
  #end = () => {};

  /** @param {Connection} connection */
  constructor(connection) {
    this.#connection = connection;
    this.#paths = pathsOf(connection);
  }

  /** @param {Lines} lines @param {(end: () => void) => void} until */
  follow(lines, until) {
    if (!this.#lines.size) this.#begin();
    this.#lines.add(lines);
    until(() => {
      if (this.#lines.delete(lines) && !this.#lines.size) this.#end();
    });
  }

  #begin() {
    const looking = setInterval(() => this.#soon(), LOOK_MS);
    const unhear = this.#connection.onState(({state}) => this.#heard(CONNECTED.has(state)));
    this.#end = () => {
      clearInterval(looking);
      unhear();
    };
  }

  /** @param {boolean} isConnected */
  #heard(isConnected) {
    if (isConnected && this.#isAway) this.#plan.returned();
    this.#isAway = !isConnected;
  }

  #soon() {
    if (this.#willLook) return;
    this.#willLook = true;
    whenIdle(() => {
      this.#willLook = false;
      this.#look();
    });
  }

  #look() {
    if (pause.isPaused || document.hidden || this.#isAway) return;
    this.#redraw();
    for (const symbol of this.#due()) {
      if (this.#running === AT_A_TIME) return;
      this.#ask(symbol);
    }
  }

  #redraw() {
    const fresh = [...this.#fresh];
    this.#fresh.clear();
    for (const {redraw} of this.#lines) fresh.forEach(redraw);
  }

  /** Where a line is costs a layout: that is asked last. */
  * #due() {
    for (const {symbols, isInView} of this.#lines) {
      for (const symbol of symbols()) {
        if (this.#isDue(symbol) && (isInView?.(symbol) ?? true)) yield symbol;
      }
    }
  }

  /** @param {string} symbol */
  #isDue(symbol) {
    const {session, isWhole} = this.#paths.of(symbol);
    const {symbols, sources} = this.#connection;
    return Boolean(session) && !isWhole && this.#plan.isDue(symbol, session) && isFree(symbols?.get(symbol), sources);
  }

  /** @param {string} symbol */
  async #ask(symbol) {
    const path = this.#paths.of(symbol);
    const {session} = path;
    const info = this.#connection.symbols?.get(symbol);
    if (!info) return;
    this.#plan.asked(symbol, session);
    this.#running += 1;
    try {
      path.seed(session, seedOf(await this.#connection.ask("bars", seedQuery(symbol)), session, info));
      this.#fresh.add(symbol);
    } catch (error) {
      this.#plan.failed(symbol);
      console.debug(`quotewire: no session before this page for ${symbol}: ${error}`);
    }
    this.#running -= 1;
    if (this.#lines.size) this.#soon();
  }
}

/** @param {() => void} call */
function whenIdle(call) {
  if ("requestIdleCallback" in window) window.requestIdleCallback(call, {timeout: IDLE_MS});
  else setTimeout(call); // as in Safari
}

/** @type {WeakMap<object, SessionSeeds>} */
const seeds = new WeakMap();

/** @param {Connection} connection */
export function seedsOf(connection) {
  let known = seeds.get(connection);
  if (!known) seeds.set(connection, known = new SessionSeeds(connection));
  return known;
}
