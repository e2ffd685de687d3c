/**
 * Failures on purpose, to see how the page takes them: links are closed, refused, or go silent, while
 * the feed does well. Each is told as a simulation where the connection's history is told.
 *
 * @typedef {import("./environment.js").Transport} Transport
 * @typedef {import("./environment.js").LinkHandlers} LinkHandlers
 * @typedef {"drop" | "refuse" | "freeze"} Kind
 * @typedef {{do: "simulation", code: Kind | "over", reason: string}} Told
 * @typedef {{handlers: LinkHandlers, link: import("./environment.js").Link | null,
 *   held: [message: any, bytes: number][]}} Open
 */

export const LASTS_MS = 20_000;
/** Messages that may wait for the end of a freeze; of a link with more nothing more is heard. */
const MOST_HELD = 5000;

/** @type {Record<Kind | "over", string>} */
const REASONS = {
  drop: "simulation: the link was closed",
  refuse: "simulation: no link can be opened for 20 s",
  freeze: "simulation: links are silent for 20 s",
  over: "simulation: it is over",
};

export class Drill {
  /** @type {Set<Open>} */
  #open = new Set();
  #environment;
  #tell;
  /** @type {{kind: Kind, until_ms: number, timer: number} | null} */
  #running = null;

  /** @param {import("./environment.js").Environment} environment @param {(told: Told) => void} tell */
  constructor(environment, tell) {
    this.#environment = environment;
    this.#tell = tell;
  }

  /** @returns {{kind: Kind, until_ms: number} | null} what goes on for a while */
  get running() {
    return this.#running && {kind: this.#running.kind, until_ms: this.#running.until_ms};
  }

  /** @param {Transport} transport @returns {Transport} the same, which can be made to fail */
  wrap(transport) {
    return {
      open: (handlers) => this.#opened(transport, handlers),
      get: (path, query) => transport.get(path, query),
      change: (method, path, change) => transport.change(method, path, change),
    };
  }

  /** Close all links once: new ones can be opened. */
  drop() {
    this.#say("drop");
    this.#breakAll("drop");
  }

  /** Close all links, and let none be opened for a while. */
  refuse() {
    this.#begin("refuse");
    this.#breakAll("refuse");
  }

  /** Let nothing be heard of any link for a while; what comes meanwhile is heard late. */
  freeze() {
    this.#begin("freeze");
  }

  /** End what goes on. */
  end() {
    if (!this.#running) return;
    this.#environment.clearTimeout(this.#running.timer);
    this.#running = null;
    this.#say("over");
    for (const open of [...this.#open]) this.#thaw(open);
  }

  /** @param {Kind} kind */
  #begin(kind) {
    this.end();
    this.#say(kind);
    const timer = this.#environment.setTimeout(() => this.end(), LASTS_MS);
    this.#running = {kind, until_ms: this.#environment.now() + LASTS_MS, timer};
  }

  /** @param {Transport} transport @param {LinkHandlers} handlers */
  #opened(transport, handlers) {
    /** @type {Open} */
    const open = {handlers, link: null, held: []};
    this.#open.add(open);
    if (this.#running?.kind === "refuse") this.#environment.setTimeout(() => this.#break(open, "refuse"), 0);
    else open.link = this.#link(transport, open);
    return {
      send: (/** @type {object} */ message) => open.link?.send(message),
      close: () => {
        this.#open.delete(open);
        open.link?.close();
      },
    };
  }

  /** @param {Transport} transport @param {Open} open */
  #link(transport, open) {
    const {handlers, held} = open;
    return transport.open({
      onMessage: (message, bytes) => {
        const isFrozen = this.#running?.kind === "freeze";
        if (!isFrozen && !held.length) handlers.onMessage(message, bytes);
        else if (held.length < MOST_HELD) held.push([message, bytes]);
        else this.#break(open, "freeze");
      },
      onClosed: (number, reason) => {
        if (this.#open.delete(open)) handlers.onClosed(number, reason);
      },
    });
  }

  /** @param {Open} open its link may be closed by what is heard now */
  #thaw(open) {
    const held = open.held.splice(0);
    for (const [message, bytes] of held) {
      if (this.#open.has(open)) open.handlers.onMessage(message, bytes);
    }
  }

  /** @param {Kind} kind */
  #breakAll(kind) {
    for (const open of [...this.#open]) this.#break(open, kind);
  }

  /** @param {Open} open @param {Kind} kind */
  #break(open, kind) {
    if (!this.#open.delete(open)) return;
    open.link?.close();
    open.handlers.onClosed(null, REASONS[kind]);
  }

  /** @param {Kind | "over"} code */
  #say(code) {
    this.#tell({do: "simulation", code, reason: REASONS[code]});
  }
}
