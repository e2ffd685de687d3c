/**
 * What is said over links, and which answers are waited for. Pure. Twin of
 * `dashboard/client/core/requests.py`.
 *
 * @typedef {import("./situation.js").LinkWay} LinkWay
 * @typedef {import("./session.js").Send} Send
 *
 * @typedef {object} Pending a request that is not answered yet
 * @property {LinkWay} way
 * @property {"ask" | "unask" | "auth"} kind
 * @property {import("./session.js").Channel} channel
 * @property {string | null} interval
 * @property {string[]} symbols
 * @property {string[]} [indicators]
 * @property {string} [token] shown by `auth`
 */

/** A symbol in a request, with where it stands, is no longer than this. */
const SYMBOL_BYTES = 200;

/** Numbers what is said, and knows what for. */
export class Requests {
  /** Symbols in one request at most. */
  most = 1;
  #books;
  #last = 0;
  /** @type {Map<number, Pending>} */
  #pending = new Map();

  /** @param {import("./books.js").Books} books know where a subscription goes on from */
  constructor(books) {
    this.#books = books;
  }

  get size() {
    return this.#pending.size;
  }

  /** Keep to how long a message may be. @param {number} max_message_bytes */
  limit(max_message_bytes) {
    this.most = Math.max(1, Math.floor(max_message_bytes / SYMBOL_BYTES));
  }

  /**
   * What an answer is to; it is waited for no longer.
   *
   * @param {LinkWay} way
   * @param {number | null | undefined} id
   * @returns {Pending | null}
   */
  take(way, id) {
    const pending = this.find(way, id);
    if (pending) this.#pending.delete(/** @type {number} */ (id));
    return pending;
  }

  /**
   * What an answer is to; it is waited for still.
   *
   * @param {LinkWay} way
   * @param {number | null | undefined} id
   * @returns {Pending | null}
   */
  find(way, id) {
    const pending = this.#pending.get(id ?? -1);
    return pending?.way === way ? pending : null;
  }

  /** Wait for nothing of a link any more. @param {LinkWay} way */
  unlinked(way) {
    for (const [id, pending] of this.#pending) {
      if (pending.way === way) this.#pending.delete(id);
    }
  }

  /**
   * Ask for what is wanted, to go on from what is held.
   *
   * @param {LinkWay} way
   * @param {import("./asks.js").Ask} ask
   * @returns {Send[]}
   */
  subscribe(way, {channel, interval, indicators, max_hz, symbols: all}) {
    return this.#parts(all).map((symbols) => {
      const id = this.#expect({way, kind: "ask", channel, interval, symbols, indicators});
      const since = this.#books.positions(channel, interval, symbols);
      return {do: "send", way, message: {
        type: "subscribe", id, channel, symbols,
        ...(interval !== null && {interval}),
        ...(max_hz && {max_hz}),
        ...(Object.keys(since).length && {since}),
        ...(indicators.length && {indicators}),
      }};
    });
  }

  /**
   * End what was asked for.
   *
   * @param {LinkWay} way
   * @param {import("./asks.js").Unask} unask
   * @returns {Send[]}
   */
  unsubscribe(way, {channel, interval, symbols: all}) {
    return this.#parts(all).map((symbols) => {
      const id = this.#expect({way, kind: "unask", channel, interval, symbols});
      return {do: "send", way, message: {
        type: "unsubscribe", id, channel, symbols, ...(interval !== null && {interval}),
      }};
    });
  }

  /** Show a token. @param {LinkWay} way @param {string} token @returns {Send} */
  authenticate(way, token) {
    const none = {channel: /** @type {const} */ ("quotes"), interval: null, symbols: []};
    const id = this.#expect({way, kind: "auth", ...none, token});
    return {do: "send", way, message: {type: "auth", id, token}};
  }

  /** Ask for the feed's clock. @param {LinkWay} way @returns {{id: number, send: Send}} */
  ping(way) {
    const id = (this.#last += 1);
    return {id, send: {do: "send", way, message: {type: "ping", id}}};
  }

  /** @param {string[]} symbols */
  #parts(symbols) {
    const count = Math.ceil(symbols.length / this.most);
    return Array.from({length: count}, (_, i) => symbols.slice(i * this.most, (i + 1) * this.most));
  }

  /** @param {Pending} pending @returns {number} its number */
  #expect(pending) {
    this.#last += 1;
    this.#pending.set(this.#last, pending);
    return this.#last;
  }
}
