/**
 * The open links of a connection, one a way, and the ways they go.
 *
 * @typedef {import("./environment.js").Transport} Transport
 * @typedef {import("./core/session.js").Way} Way
 */

const NO_RELAY = "there is no relay";
const NOT_ALLOWED = "the browser does not let this page open it";

export class Links {
  /** @type {Map<Way, import("./environment.js").Link>} */
  #open = new Map();
  #direct;
  /** @type {Transport | null} */
  #relay = null;
  #handlers;

  /**
   * @param {Transport} direct
   * @param {object} handlers
   * @param {(way: Way, message: object, bytes: number) => void} handlers.onMessage
   * @param {(way: Way, number: number | null, reason: string) => void} handlers.onClosed
   */
  constructor(direct, handlers) {
    this.#direct = direct;
    this.#handlers = handlers;
  }

  /**
   * Another relay from now on, null for none; a link over the one before has ended.
   *
   * @param {Transport | null} relay
   */
  set relay(relay) {
    const open = this.#open.get("relay");
    this.#relay = relay;
    if (!open) return;
    this.close("relay");
    this.#handlers.onClosed("relay", null, "the relay has gone");
  }

  /** @param {Way} way */
  open(way) {
    const transport = way === "relay" ? this.#relay : this.#direct;
    if (!transport) return this.#handlers.onClosed(way, null, NO_RELAY);
    const onClosed = (/** @type {number | null} */ number, /** @type {string} */ reason) => {
      this.#open.delete(way);
      this.#handlers.onClosed(way, number, reason);
    };
    try {
      this.#open.set(way, transport.open({
        onMessage: (message, bytes) => this.#handlers.onMessage(way, message, bytes),
        onClosed,
      }));
    } catch (error) {
      // On a page of https a browser refuses to open what is not encrypted.
      console.debug(`quotewire: no link by ${way}: ${error}`);
      onClosed(null, NOT_ALLOWED);
    }
    return undefined;
  }

  /** @param {Way} way */
  close(way) {
    const link = this.#open.get(way);
    this.#open.delete(way);
    link?.close();
  }

  /** @param {Way} way @param {object} message */
  send(way, message) {
    this.#open.get(way)?.send(message);
  }

  /**
   * @param {Way} way how data comes now: requests go beside it
   * @param {string} path
   * @param {Record<string, unknown>} [query]
   */
  get(way, path, query) {
    return this.#beside(way).get(path, query);
  }

  /**
   * @param {Way} way
   * @param {import("./environment.js").Method} method
   * @param {string} path
   * @param {import("./environment.js").Change} change
   */
  change(way, method, path, change) {
    return this.#beside(way).change(method, path, change);
  }

  /** @param {Way} way */
  #beside(way) {
    return way === "relay" && this.#relay ? this.#relay : this.#direct;
  }
}
