/** What a session wants to know by requests: polls, and history. */

import {SENSELESS, explain} from "quotewire/feed_error.js";

/**
 * @typedef {import("./core/session.js").Poll} Poll
 * @typedef {import("./core/session.js").Load} Load
 * @typedef {import("./runner.js").Step} Step
 * @typedef {(way: import("./core/session.js").Way, path: string, query?: Record<string, unknown>)
 *   => Promise<any>} Get the body of `/api/<path>`
 */

export class Asking {
  #get;
  #runner;

  /** @param {Get} get @param {{run: (step: Step) => void}} runner gives the session the answers */
  constructor(get, runner) {
    this.#get = get;
    this.#runner = runner;
  }

  /** @param {Poll} poll */
  poll(poll) {
    return this.#ask(this.#bodies(poll),
      ({quotes, status}) => (session, now_ms) => session.polled(now_ms, poll.id, quotes, status),
      (code, reason) => (session, now_ms) => session.pollFailed(now_ms, poll.id, code, reason));
  }

  /** @param {Load} load */
  load(load) {
    return this.#ask(this.#series(load),
      (series) => (session, now_ms) => session.loaded(now_ms, load.id, series),
      (code, reason) => (session, now_ms) => session.loadFailed(now_ms, load.id, code, reason));
  }

  /** @param {Poll} poll */
  async #bodies({symbols, since}) {
    const query = {symbols: symbols.join(","), since: since ?? undefined};
    const quotes = symbols.length ? this.#get("polling", "quotes", query) : null;
    const [status, told] = await Promise.all([this.#get("polling", "status"), quotes]);
    return {quotes: told, status};
  }

  /** @param {Load} load */
  #series({way, channel, symbol, interval, start_ms, end_ms, limit, indicators}) {
    if (channel === "trades") return this.#get(way, "trades", {symbol, limit});
    return this.#get(way, "bars", {
      symbol, interval, limit,
      start: start_ms ?? undefined,
      end: end_ms ?? undefined,
      indicators: indicators.length ? indicators.join(",") : undefined,
    });
  }

  /**
   * An answer that makes no sense counts as none.
   *
   * @template T
   * @param {Promise<T>} asked
   * @param {(body: T) => Step} took
   * @param {(code: string, reason: string) => Step} failed
   */
  async #ask(asked, took, failed) {
    let body;
    try {
      body = await asked;
    } catch (error) {
      const {code, reason} = explain(error);
      this.#runner.run(failed(code, reason));
      return;
    }
    try {
      this.#runner.run(took(body));
    } catch (error) {
      reportError(error);
      this.#runner.run(failed("internal", SENSELESS));
    }
  }
}
