/**
 * How a client is let in, and stays in. Pure; the clock is passed in.
 *
 * A link is in once it needs no token, or its token was taken. Another token is asked for at half of
 * the life of the one that was taken, and where one is refused; a second one that is refused ends
 * it. Twin of `dashboard/client/core/login.py`.
 *
 * @typedef {import("./situation.js").LinkWay} LinkWay
 *
 * @typedef {{do: "show", way: LinkWay} | {do: "enter", way: LinkWay} | {do: "renew"}
 *   | {do: "deny", code: string, reason: string}} Action `show` the token over this link, `enter`:
 *   commands may be sent over it, `deny`: the client is not let in, by no way
 *
 * @typedef {{ahead_ms: number, required: boolean, isIn: boolean}} Stay one link, from its welcome to
 *   its end
 */

/** Errors that mean: the feed does not let this client in, whatever it asks. */
export const DENIALS = new Set(["auth_required", "auth_failed", "auth_expired"]);

/** A token that was asked for and did not come in this time is asked for again. */
const PATIENCE_MS = 10000;

/** Another token is asked for no sooner than this after one was taken. */
const LEAST_MS = 1000;

/** So many different tokens refused in a row are the end. */
const REFUSALS = 2;

const NO_TOKEN = "the feed asks for a token, and there is none";

export class Login {
  /** @type {string | null} */
  token = null;
  #renewable;
  /** @type {Map<LinkWay, Stay>} */
  #stays = new Map();
  #isNew = false;
  #refusals = 0;
  /** @type {number | null} */
  #asked_ms = null;
  /** @type {number | null} by our clock */
  #expires_ms = null;
  /** @type {number | null} */
  #renew_ms = null;

  /** @param {boolean} renewable whether there can be another token */
  constructor(renewable) {
    this.#renewable = renewable;
  }

  /** When the next `tick` is due, or null. */
  deadline() {
    return this.#renew_ms;
  }

  /** Whether commands may be sent over a link. @param {LinkWay} way */
  isIn(way) {
    return this.#stays.get(way)?.isIn ?? false;
  }

  /** Begin anew: what was refused before may be taken now. */
  restart() {
    this.#stays.clear();
    this.#refusals = 0;
    this.#isNew = this.token !== null;
    this.#asked_ms = this.#renew_ms = null;
  }

  /**
   * The feed has answered over a link.
   *
   * @param {number} now_ms
   * @param {LinkWay} way
   * @param {number} server_ms the server's time
   * @param {boolean} required whether a token must be shown
   * @returns {Action[]}
   */
  welcomed(now_ms, way, server_ms, required) {
    this.#stays.set(way, {ahead_ms: server_ms - now_ms, required, isIn: !required});
    if (!required) return [{do: "enter", way}];
    if (this.token !== null) return [{do: "show", way}];
    if (this.#renewable) return this.#ask(now_ms);
    return [{do: "deny", code: "auth_required", reason: NO_TOKEN}];
  }

  /**
   * The token was taken; it is good until then by the server's clock.
   *
   * @param {number} now_ms
   * @param {LinkWay} way
   * @param {number} expires_ms
   * @returns {Action[]}
   */
  authenticated(now_ms, way, expires_ms) {
    const stay = this.#stays.get(way);
    if (!stay) return [];
    this.accepted();
    this.#asked_ms = null;
    this.#expires_ms = expires_ms - stay.ahead_ms;
    this.#plan(now_ms);
    if (stay.isIn) return [];
    stay.isIn = true;
    return [{do: "enter", way}];
  }

  /** The token was good enough for a request. */
  accepted() {
    this.#refusals = 0;
    this.#isNew = false;
  }

  /**
   * A token was refused, over a link or by a request (null).
   *
   * Who is in already stays until the feed closes the link; that one was refused in place of which
   * there is another by now says nothing of that.
   *
   * @param {number} now_ms
   * @param {LinkWay | null} way
   * @param {string | null} token
   * @param {string} code
   * @param {string} reason
   * @returns {Action[]}
   */
  refused(now_ms, way, token, code, reason) {
    if (token !== this.token) return [];
    if (way !== null) {
      const stay = this.#stays.get(way);
      if (!stay || stay.isIn) {
        this.#isNew = false;
        return [];
      }
    }
    if (this.#isNew) this.#refusals += 1;
    this.#isNew = false;
    if (!this.#renewable || this.#refusals >= REFUSALS) return [{do: "deny", code, reason}];
    return this.#ask(now_ms);
  }

  /**
   * Show this token from now on. One that is held and was taken is no news.
   *
   * @param {string} token
   * @returns {Action[]}
   */
  take(token) {
    this.#asked_ms = null;
    const isSame = token === this.token;
    this.token = token;
    this.#isNew = true;
    return [...this.#stays]
      .filter(([, {required, isIn}]) => required && !(isSame && isIn))
      .map(([way]) => ({do: /** @type {const} */ ("show"), way}));
  }

  /** A link has ended. @param {LinkWay} way */
  closed(way) {
    this.#stays.delete(way);
    if (!this.#stays.size) this.#renew_ms = null;
  }

  /**
   * Ask for another token where it is time.
   *
   * @param {number} now_ms
   * @returns {Action[]}
   */
  tick(now_ms) {
    if (this.#renew_ms === null || now_ms < this.#renew_ms) return [];
    this.#asked_ms = null;
    const actions = this.#ask(now_ms);
    this.#plan(now_ms);
    return actions;
  }

  /** Ask for another token at half of what is left of this one. @param {number} now_ms */
  #plan(now_ms) {
    this.#renew_ms = null;
    if (this.#renewable && this.#expires_ms !== null && this.#expires_ms > now_ms) {
      this.#renew_ms = now_ms + Math.max((this.#expires_ms - now_ms) / 2, LEAST_MS);
    }
  }

  /** @param {number} now_ms @returns {Action[]} */
  #ask(now_ms) {
    if (this.#asked_ms !== null && now_ms - this.#asked_ms < PATIENCE_MS) return [];
    this.#asked_ms = now_ms;
    return [{do: "renew"}];
  }
}
