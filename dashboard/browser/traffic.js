/**
 * A tap on the ways to the feed: what goes to it and what comes, for who looks for a fault. Nothing is
 * made of it while nobody listens, and no token is in it.
 *
 * @typedef {import("./environment.js").Transport} Transport
 *
 * @typedef {object} Passed something that went by
 * @property {number} at_ms
 * @property {"in" | "out"} direction
 * @property {"websocket" | "relay" | "http"} way
 * @property {string} kind a message's type, or a request's method and path
 * @property {number} bytes 0 where it is not known
 * @property {object | null} body the message, what is asked for, or the answer
 */

import {Listeners} from "quotewire/listeners.js";

const HIDDEN = "***";

export class Traffic {
  /** @type {Listeners<Passed>} */
  #listeners = new Listeners();
  #now;

  /** @param {() => number} now UTC epoch milliseconds */
  constructor(now) {
    this.#now = now;
  }

  /** @param {(passed: Passed) => void} listener @returns {() => void} ends it */
  hear(listener) {
    return this.#listeners.hear(listener);
  }

  /** @param {Transport} transport @param {"websocket" | "relay"} way of its links @returns {Transport} */
  tap(transport, way) {
    return {
      open: (handlers) => this.#open(transport, way, handlers),
      get: (path, query) => this.#ask(way, `GET ${path}`, query, () => transport.get(path, query)),
      change: (method, path, change) => this.#ask(way, `${method} ${path}`, change.body,
        () => transport.change(method, path, change)),
    };
  }

  /**
   * @param {Transport} transport
   * @param {"websocket" | "relay"} way
   * @param {import("./environment.js").LinkHandlers} handlers
   */
  #open(transport, way, {onMessage, onClosed}) {
    const link = transport.open({
      onMessage: (message, bytes) => {
        this.#tell("in", way, message.type, bytes, message);
        onMessage(message, bytes);
      },
      onClosed: (number, reason) => {
        this.#tell("in", way, "close", 0, {number, reason});
        onClosed(number, reason);
      },
    });
    return {
      send: (/** @type {object} */ message) => {
        if (this.#listeners.hasAny) {
          const shown = hidden(message);
          this.#tell("out", way, shown.type, JSON.stringify(shown).length, shown);
        }
        link.send(message);
      },
      close: () => {
        this.#tell("out", way, "close", 0, null);
        link.close();
      },
    };
  }

  /**
   * @param {"websocket" | "relay"} way
   * @param {string} kind
   * @param {object | undefined} asked
   * @param {() => Promise<any>} ask
   */
  #ask(way, kind, asked, ask) {
    const over = way === "relay" ? "relay" : "http";
    this.#tell("out", over, kind, 0, asked ?? null);
    const answer = ask();
    if (!this.#listeners.hasAny) return answer;
    return answer.then((body) => {
      this.#tell("in", over, kind, 0, body);
      return body;
    }, (error) => {
      this.#tell("in", over, kind, 0, {error: String(error)});
      throw error;
    });
  }

  /**
   * @param {Passed["direction"]} direction
   * @param {Passed["way"]} way
   * @param {string} kind
   * @param {number} bytes
   * @param {object | null} body
   */
  #tell(direction, way, kind, bytes, body) {
    if (this.#listeners.hasAny) {
      this.#listeners.tell({at_ms: this.#now(), direction, way, kind, bytes, body});
    }
  }
}

/** The same without a token. @param {any} message */
function hidden(message) {
  return "token" in message ? {...message, token: HIDDEN} : message;
}
