/** Runs a session: hands it what happens, lets its actions be done in order, and holds its timer. */

/**
 * @typedef {import("./core/session.js").Session} Session
 * @typedef {import("./core/session.js").Action} Action
 * @typedef {(session: Session, now_ms: number) => Action[]} Step
 */

export class Runner {
  #session;
  #environment;
  #act;
  /** @type {Action[]} not done yet */
  #actions = [];
  #busy = false;
  /** @type {number | null} */
  #timer = null;
  #due_ms = Infinity;

  /**
   * @param {Session} session
   * @param {import("./environment.js").Environment} environment
   * @param {(action: Action) => void} act does or tells one
   */
  constructor(session, environment, act) {
    this.#session = session;
    this.#environment = environment;
    this.#act = act;
  }

  /** Take a step, and do what it says; what is to be done for steps from within waits its turn.
   * @param {Step} step */
  run(step) {
    this.#actions.push(...step(this.#session, this.#environment.now()));
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#actions.shift(); next; next = this.#actions.shift()) this.#act(next);
    } finally {
      this.#busy = false;
      // Also where one could not be done: the next tick goes on.
      this.#plan(this.#session.deadline());
    }
  }

  /**
   * A tick that comes too early does nothing: the timer is moved only where it would be late.
   *
   * @param {number | null} due_ms
   */
  #plan(due_ms) {
    if (due_ms !== null && due_ms >= this.#due_ms) return;
    if (this.#timer !== null) this.#environment.clearTimeout(this.#timer);
    this.#timer = null;
    this.#due_ms = due_ms ?? Infinity;
    if (due_ms === null) return;
    this.#timer = this.#environment.setTimeout(() => {
      this.#timer = null;
      this.#due_ms = Infinity;
      this.run((session, now_ms) => session.tick(now_ms));
    }, Math.max(0, due_ms - this.#environment.now()));
  }
}
