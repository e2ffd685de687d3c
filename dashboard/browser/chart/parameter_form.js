/** The numbers of one indicator, within their bounds. */

import {fault, writeSpec} from "quotewire/chart/indicator_spec.js";
import {h, setText} from "quotewire/dom.js";

/**
 * @typedef {import("./indicator_catalog.js").IndicatorInfo} IndicatorInfo
 * @typedef {import("./indicator_catalog.js").Parameter} Parameter
 *
 * @typedef {object} Options
 * @property {number[]} values
 * @property {string} action what the button says
 * @property {(spec: string) => Promise<string>} onDone returns what is against it, empty where nothing
 * @property {() => void} onBack
 */

export class ParameterForm {
  #info;
  #inputs;
  #fault = h("p", {class: "fault", role: "alert", "data-testid": "indicator-fault"});
  #options;
  element;

  /** @param {IndicatorInfo} info @param {Options} options */
  constructor(info, options) {
    this.#info = info;
    this.#options = options;
    this.#inputs = info.parameters.map((parameter, i) =>
      inputOf(parameter, options.values[i] ?? parameter.default));
    const rows = info.parameters.map((parameter, i) =>
      h("label", {}, h("span", {}, wordsOf(parameter.name)), this.#inputs[i], h("small", {}, boundsOf(parameter))));
    this.element = h("form", {
      class: "parameters", novalidate: true, "data-testid": "indicator-parameters",
      onsubmit: (event) => this.#submit(event),
    }, h("h3", {}, `${info.name} `, h("small", {}, info.title)), ...rows,
    ...(info.from_first ? [h("p", {class: "note"}, "It adds up from the first bar that is loaded.")] : []),
    this.#fault, h("div", {class: "actions"},
      h("button", {type: "button", onclick: options.onBack}, "Back"),
      h("button", {type: "submit", class: "primary", "data-testid": "indicator-done"}, options.action)));
  }

  focus() {
    const first = this.#inputs[0] ?? this.element.querySelector("[type=submit]");
    /** @type {HTMLElement} */ (first).focus();
  }

  /** @param {Event} event */
  async #submit(event) {
    event.preventDefault();
    const values = this.#inputs.map(({value}) => (value.trim() ? Number(value) : NaN));
    const wrong = this.#info.parameters.flatMap((parameter, i) => {
      const words = fault(values[i], parameter);
      this.#inputs[i].setAttribute("aria-invalid", String(words !== ""));
      return words ? [`${wordsOf(parameter.name)}: ${words}.`] : [];
    });
    setText(this.#fault, wrong.join(" "));
    if (wrong.length) return;
    setText(this.#fault, await this.#options.onDone(writeSpec(this.#info.name, values)));
  }
}

/** @param {Parameter} parameter @param {number} value @returns {HTMLInputElement | HTMLSelectElement} */
function inputOf({name, kind, minimum, maximum, choices}, value) {
  const shared = {name, "data-testid": `parameter-${name}`};
  if (Object.keys(choices ?? {}).length) {
    const select = /** @type {HTMLSelectElement} */ (h("select", shared,
      ...Object.entries(choices).map(([key, words]) => h("option", {value: key}, words))));
    select.value = String(value);
    return select;
  }
  const input = /** @type {HTMLInputElement} */ (h("input", {
    ...shared, type: "number", step: kind === "integer" ? "1" : "any", value: String(value),
    ...(minimum !== null && {min: String(minimum)}), ...(maximum !== null && {max: String(maximum)}),
  }));
  return input;
}

/** TA-Lib's names, for people: timeperiod, nbdevup, matype. @param {string} name */
function wordsOf(name) {
  const words = name.replaceAll("_", " ").replace(/(\w)(period|limit)/, "$1 $2")
    .replace(/^nbdev ?/, "deviations ").replace(/matype$/, " average").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** @param {Parameter} parameter */
function boundsOf({minimum, maximum, choices}) {
  if (Object.keys(choices ?? {}).length) return "";
  const far = (/** @type {number | null} */ value) => value === null || Math.abs(value) > 1e6;
  if (!far(minimum) && !far(maximum)) return `${minimum} – ${maximum}`;
  return far(minimum) ? "" : `from ${minimum}`;
}
