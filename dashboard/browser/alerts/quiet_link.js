/**
 * A connection of its own that hears of alerts while the page's is at rest, because nobody looks: that
 * is when a notification is wanted. It subscribes to nothing. What it hears comes by itself, for a
 * hidden page's timers run once a minute at best.
 */

const RETRY_MS = 5000;
const FIRST_ID = 1;

/** @typedef {import("../connection.js").Connection} Connection */

export class QuietLink {
  #connection;
  #onAlerted;
  /** @type {import("../environment.js").Link | null} */
  #link = null;
  #wanted = false;
  /** @type {number | undefined} */
  #timer;

  /** @param {Connection} connection @param {() => void} onAlerted also called when it begins to hear */
  constructor(connection, onAlerted) {
    this.#connection = connection;
    this.#onAlerted = onAlerted;
  }

  /** @param {boolean} wanted from now on */
  want(wanted) {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    clearTimeout(this.#timer);
    if (wanted) return this.#open();
    this.#link?.close();
    this.#link = null;
  }

  #open() {
    this.#link = this.#connection.openBeside({
      onMessage: (message) => this.#take(message),
      onClosed: () => {
        this.#link = null;
        this.#timer = setTimeout(() => this.#open(), RETRY_MS);
      },
    });
  }

  /** @param {{type: string, auth?: string}} message */
  #take({type, auth}) {
    if (type === "welcome" && auth === "required") {
      this.#link?.send({type: "auth", id: FIRST_ID, token: this.#connection.token});
    }
    if (type === "authenticated" || type === "alerted" || (type === "welcome" && auth === "none")) {
      this.#onAlerted();
    }
  }
}
