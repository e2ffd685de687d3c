/** What the panel's cards are made of. What is told changes twice a second: only what differs is written. */

import {h, setText} from "quotewire/dom.js";

/** @type {Record<string, string>} so that it is not told by colour alone */
const MARKS = {good: "●", busy: "◌", warn: "▲", bad: "■", idle: "○", drill: "✦"};

/**
 * @param {string} title
 * @param {string} name for tests
 * @param {{tools?: Node[], note?: Node}} options `tools`: at the right of its title
 * @param {...Node} children
 */
export function card(title, name, {tools = [], note}, ...children) {
  return h("section", {class: "card", "aria-label": title, "data-card": name, "data-testid": `debug-${name}`},
    h("header", {}, h("h2", {}, title), ...(note ? [note] : []),
      ...(tools.length ? [h("div", {class: "tools"}, ...tools)] : [])), ...children);
}

/** A mark that goes by its tone. */
export class Mark {
  element = h("i", {class: "mark", "aria-hidden": "true"});

  /** @param {string} tone */
  show(tone) {
    this.element.dataset.tone = tone;
    setText(this.element, MARKS[tone] ?? MARKS.idle);
  }
}

/** Names and values. */
export class Facts {
  element = h("dl");
  #named = "";
  /** @type {HTMLElement[]} */
  #values = [];

  /** @param {[name: string, value: string][]} facts */
  show(facts) {
    const named = facts.map(([name]) => name).join("\n");
    if (named !== this.#named) {
      this.#named = named;
      this.#values = facts.map(() => h("dd"));
      this.element.replaceChildren(...facts.map(([name], i) =>
        h("div", {}, h("dt", {}, name), this.#values[i])));
    }
    facts.forEach(([, value], i) => setText(this.#values[i], value));
  }
}

/** Rows of cells; the first column names its row. */
export class Table {
  #body = h("tbody");
  #columns;
  #empty;

  /**
   * @param {{title: string, number?: boolean}[]} columns
   * @param {string} label
   * @param {string} empty words for no rows
   */
  constructor(columns, label, empty) {
    this.#columns = columns;
    this.#empty = h("p", {class: "empty"}, empty);
    this.element = h("div", {class: "scroll", tabindex: "0", role: "group", "aria-label": label},
      h("table", {"aria-label": label}, h("thead", {}, h("tr", {}, ...columns.map(({title, number = false}) =>
        h("th", {scope: "col", class: number ? "number" : ""}, title)))), this.#body), this.#empty);
  }

  /** @param {string[][]} rows */
  show(rows) {
    this.#empty.hidden = rows.length > 0;
    while (this.#body.children.length > rows.length) this.#body.lastElementChild?.remove();
    while (this.#body.children.length < rows.length) {
      this.#body.append(h("tr", {}, ...this.#columns.map(({number = false}) =>
        h("td", {class: number ? "number" : ""}))));
    }
    rows.forEach((row, i) => row.forEach((text, j) => setText(this.#body.children[i].children[j], text)));
  }
}

/** @param {string} words @param {Record<string, string | ((event: any) => void)>} attributes */
export function button(words, attributes) {
  return h("button", {type: "button", class: "plain", ...attributes}, words);
}
