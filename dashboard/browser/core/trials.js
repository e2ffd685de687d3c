/**
 * Which indicators of a series the feed takes: one that it refuses costs the others nothing. Pure.
 *
 * The feed refuses a subscription as a whole, and does not say by which of its indicators. Where it
 * can be only one, it is that; else they are tried one by one. Twin of
 * `dashboard/client/core/trials.py`.
 */

/** What is known of the indicators that are wanted of one series. */
export class Trials {
  /** @type {Set<string>} */
  #taken = new Set();
  /** @type {Set<string>} */
  #doubted = new Set();
  /** @type {Map<string, string>} what the feed says of each */
  #refused = new Map();

  /** What the feed says of one of these that it refuses; null where it refuses none. @param {string[]} names */
  refusal(names) {
    const name = names.find((one) => this.#refused.has(one));
    return name === undefined ? null : this.#refused.get(name) ?? "";
  }

  /** Those of some indicators to ask for now, of the doubted ones the first. @param {string[]} names */
  choose(names) {
    const sorted = [...new Set(names)].sort();
    const [, ...later] = sorted.filter((name) => this.#doubted.has(name));
    return sorted.filter((name) => !later.includes(name));
  }

  /** The feed has taken these. @param {string[]} names */
  took(names) {
    for (const name of names) {
      this.#taken.add(name);
      this.#doubted.delete(name);
    }
  }

  /**
   * Take that the feed has refused to give these together.
   *
   * @param {string[]} names
   * @param {string} reason
   * @returns {string[] | null} those that are known as refused from now on; null where no indicator
   *   can be why
   */
  refuse(names, reason) {
    if (this.refusal(names) !== null) return []; // asked before that was known
    const suspects = names.filter((name) => !this.#taken.has(name));
    if (!suspects.length) return null;
    if (suspects.length > 1) {
      for (const name of suspects) this.#doubted.add(name);
      return [];
    }
    this.#doubted.delete(suspects[0]);
    this.#refused.set(suspects[0], reason);
    return suspects;
  }

  /** There is another link: what it takes is not known. */
  linked() {
    this.#taken.clear();
  }

  /** Know nothing any more of those that are not among these. @param {string[]} names */
  keep(names) {
    for (const name of [...this.#refused.keys()]) if (!names.includes(name)) this.#refused.delete(name);
    for (const name of [...this.#doubted]) if (!names.includes(name)) this.#doubted.delete(name);
  }
}
