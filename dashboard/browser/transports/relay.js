/**
 * The way to the feed through the page's own server: over an element's messages to its Python side,
 * which has a connection to the feed for as long as one is open here. `dashboard/relay` is the other
 * end, and its `messages.py` tells what is said.
 *
 * @typedef {import("../environment.js").LinkHandlers} LinkHandlers
 * @typedef {import("../environment.js").Link} Link
 *
 * @typedef {{id: number, body?: string, code?: string, message?: string}} Answer
 *
 * @typedef {object} Batch
 * @property {string} relay the link's name
 * @property {number} number counts from 1
 * @property {string[]} [texts]
 * @property {Answer[]} [answers]
 * @property {[number | null, string]} [closed]
 */

import {isBody, isMessage} from "quotewire/core/shapes.js";
import {FeedError, SENSELESS} from "quotewire/feed_error.js";

const NOT_OPEN = "the relay is not open";
const LOST = "the relay lost messages";
const GONE = "the element that relayed is gone";

/** @typedef {import("../environment.js").Transport} Transport */

/** @implements {Transport} */
export class Relay {
  #model;
  /** @type {RelayLink | null} */
  #link = null;
  #listening = false;
  #take = (/** @type {Batch} */ batch) => this.#link?.take(batch);

  /** @param {import("../panel.d.ts").ElementModel} model */
  constructor(model) {
    this.#model = model;
  }

  /** @param {LinkHandlers} handlers @returns {Link} */
  open(handlers) {
    this.#link?.close();
    if (!this.#listening) this.#model.on("msg:custom", this.#take);
    this.#listening = true;
    this.#link = new RelayLink((message) => this.#model.send_msg(message), handlers);
    return this.#link;
  }

  /** @param {string} path @param {Record<string, unknown>} [query] @returns {Promise<any>} */
  get(path, query = {}) {
    return this.#link?.get(path, query) ?? Promise.reject(new Error(NOT_OPEN));
  }

  /**
   * @param {import("../environment.js").Method} method
   * @param {string} path
   * @param {import("../environment.js").Change} change
   * @returns {Promise<any>}
   */
  change(method, path, change) {
    return this.#link?.change(method, path, change) ?? Promise.reject(new Error(NOT_OPEN));
  }

  /** The element goes, and with it this way. */
  withdraw() {
    if (this.#listening) this.#model.off("msg:custom", this.#take);
    this.#listening = false;
    this.#link?.fail(GONE);
  }
}

class RelayLink {
  // An element can be on several pages, and each hears what is meant for the others.
  #name = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
  #send;
  /** @type {LinkHandlers | null} null once it is over */
  #handlers;
  #heard = 0;
  #said = 0;
  #asked = 0;
  /** @type {Map<number, {path: string, mayBeEmpty: boolean, resolve: (body: any) => void,
   *   reject: (error: Error) => void}>} */
  #requests = new Map();

  /** @param {(message: object) => void} send @param {LinkHandlers} handlers */
  constructor(send, handlers) {
    this.#send = send;
    this.#handlers = handlers;
    send({do: "open", relay: this.#name});
  }

  /** @param {object} message */
  send(message) {
    if (!this.#handlers) return;
    this.#said += 1;
    this.#tell({do: "say", number: this.#said, text: JSON.stringify(message)});
  }

  close() {
    if (!this.#handlers) return;
    this.#tell({do: "close"});
    this.#end(NOT_OPEN);
  }

  /** @param {string} path @param {Record<string, unknown>} query @returns {Promise<any>} */
  get(path, query) {
    return this.#ask({path}, query);
  }

  /**
   * @param {import("../environment.js").Method} method
   * @param {string} path
   * @param {import("../environment.js").Change} change
   * @returns {Promise<any>}
   */
  change(method, path, {query = {}, body}) {
    return this.#ask({method, path, text: body === undefined ? "" : JSON.stringify(body)}, query);
  }

  /** @param {{path: string, method?: string, text?: string}} request @param {Record<string, unknown>} query @returns {Promise<any>} */
  #ask(request, query) {
    if (!this.#handlers) return Promise.reject(new Error(NOT_OPEN));
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve, reject) => {
      this.#requests.set(id, {path: request.path, mayBeEmpty: request.method !== undefined, resolve, reject});
      const texts = Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
      this.#tell({...request, do: "get", id, query: texts});
    });
  }

  /** @param {Batch} batch */
  take({relay, number, texts = [], answers = [], closed}) {
    if (relay !== this.#name || !this.#handlers) return;
    this.#heard += 1;
    if (number !== this.#heard) {
      this.fail(LOST);
      return;
    }
    for (const text of texts) this.#hear(text);
    for (const answer of answers) this.#answer(answer);
    if (closed) this.#over(...closed);
    // Only now: whoever is slow here shall not be sent more.
    else if (this.#handlers) this.#tell({do: "got", number});
  }

  /** End it for a reason of this side. @param {string} reason */
  fail(reason) {
    if (!this.#handlers) return;
    this.#tell({do: "close"});
    this.#over(null, reason);
  }

  /** @param {string} text */
  #hear(text) {
    const message = parsed(text);
    if (isMessage(message)) this.#handlers?.onMessage(message, text.length);
    else this.fail(SENSELESS);
  }

  /** @param {Answer} answer */
  #answer({id, body: text, code, message = ""}) {
    const request = this.#requests.get(id);
    this.#requests.delete(id);
    if (!request) return;
    const {path, mayBeEmpty, resolve, reject} = request;
    if (text === undefined) reject(code === undefined ? new Error(message) : new FeedError(code, message));
    else if (text === "" && mayBeEmpty) resolve(null);
    else {
      const body = parsed(text);
      if (isBody(path, body)) resolve(body);
      else reject(new Error(SENSELESS));
    }
  }

  /** @param {number | null} number @param {string} reason */
  #over(number, reason) {
    const handlers = this.#handlers;
    this.#end(reason);
    handlers?.onClosed(number, reason);
  }

  /** @param {string} reason */
  #end(reason) {
    this.#handlers = null;
    for (const {reject} of this.#requests.values()) reject(new Error(reason));
    this.#requests.clear();
  }

  /** @param {object} message */
  #tell(message) {
    this.#send({...message, relay: this.#name});
  }
}

/** @param {string} text @returns {any} null where it is no JSON */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
