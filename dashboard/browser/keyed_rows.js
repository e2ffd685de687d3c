/** A list's rows: each stays as it is while it is wanted, with the focus and the pointer on it. */

export class KeyedRows {
  #list;
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map();

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#list = list;
  }

  /** @param {[key: string, make: () => HTMLElement][]} wanted in their order; a key tells all that a row says */
  show(wanted) {
    const before = this.#rows;
    this.#rows = new Map(wanted.map(([key, make]) => [key, before.get(key) ?? make()]));
    for (const [key, row] of before) {
      if (!this.#rows.has(key)) row.remove();
    }
    let next = this.#list.firstElementChild;
    for (const row of this.#rows.values()) {
      if (row === next) next = next.nextElementSibling;
      else this.#list.insertBefore(row, next);
    }
  }
}
