/** What is asked over the WebSocket: subscriptions as they are wanted, and pings. */

import * as protocol from "quotewire/protocol.js";
import {Subscriptions} from "quotewire/subscriptions.js";

const RETRY_MS = 2000;

export class Requests {
  wanted = new Subscriptions();
  #socket = null;
  #last = 0;

  /** Send over this socket from now on; null where there is none. */
  use(socket) {
    this.#socket = socket;
  }

  /** @returns {string[]} symbols not wanted before */
  want(channel, symbols, interval) {
    const added = this.wanted.add(channel, symbols, interval);
    if (added.length) this.#send(protocol.subscribe, {channel, symbols: added, interval});
    return added;
  }

  /** @returns {string[]} symbols no longer wanted */
  unwant(channel, symbols, interval) {
    const removed = this.wanted.remove(channel, symbols, interval);
    if (removed.length) this.#send(protocol.unsubscribe, {channel, symbols: removed, interval});
    return removed;
  }

  subscribeAll() {
    for (const group of this.wanted.groups()) this.#send(protocol.subscribe, group);
  }

  unsubscribeAll() {
    for (const group of this.wanted.groups()) this.#send(protocol.unsubscribe, group);
  }

  /** Show a token on this socket, which need not be in use yet. */
  authenticate(socket, token) {
    this.#last += 1;
    socket.send(protocol.auth(this.#last, token));
  }

  /** @returns {number} the ping's number, given back in the answer */
  ping() {
    this.#last += 1;
    this.#socket?.send(protocol.ping(this.#last));
    return this.#last;
  }

  /** @param {any} message `subscribed` */
  answered({channel, failed, interval}) {
    const unknown = Object.keys(failed).filter((symbol) => failed[symbol] === "unknown_symbol");
    if (unknown.length) setTimeout(() => this.#again(channel, unknown, interval), RETRY_MS);
  }

  /** A feed that is starting may not know its symbols yet. */
  #again(channel, symbols, interval) {
    const wanted = symbols.filter((symbol) => this.wanted.has(channel, symbol, interval));
    if (wanted.length) this.#send(protocol.subscribe, {channel, symbols: wanted, interval});
  }

  #send(command, {channel, symbols, interval}) {
    if (!this.#socket) return;
    this.#last += 1;
    this.#socket.send(command(this.#last, channel, symbols, interval));
  }
}
