/** The controls of the drawer. Each shows one setting, and chooses it. */

import {h} from "quotewire/dom.js";
import {settings} from "quotewire/settings.js";
import {SCHEMA} from "quotewire/settings_schema.js";

/**
 * @typedef {import("../settings.js").Name} Name
 * @typedef {{element: HTMLElement, show: () => void}} Field `show`: what is set now
 * @typedef {[value: string | number, words: string]} Option
 */

/**
 * One of a few, side by side.
 *
 * @param {Name} name
 * @param {[value: string, words: string, title?: string][]} options
 * @param {(value: string) => Node[]} [sample] drawn before an option's words
 * @returns {Field}
 */
export function segments(name, options, sample = () => []) {
  const inputs = options.map(([value]) => /** @type {HTMLInputElement} */ (h("input", {
    type: "radio", name, value, onchange: () => settings.choose({[name]: value}),
  })));
  const labels = options.map(([value, words, title = ""], i) =>
    h("label", {title, "data-testid": `${name}-${value}`}, inputs[i], ...sample(value), h("span", {}, words)));
  return {
    element: row(name, h("div", {
      class: "segments", role: "radiogroup", "aria-label": SCHEMA[name].title ?? name,
    }, ...labels)),
    show: () => inputs.forEach((input) => (input.checked = input.value === settings.values[name])),
  };
}

/** On or off. @param {Name} name @param {string} [hint] @returns {Field} */
export function toggle(name, hint) {
  const input = /** @type {HTMLInputElement} */ (h("input", {
    type: "checkbox", role: "switch", id: name, "data-testid": name,
    onchange: () => settings.choose({[name]: input.checked}),
  }));
  return {element: row(name, input, hint), show: () => (input.checked = settings.values[name] === true)};
}

/**
 * One of many.
 *
 * @param {Name} name of a text or a number
 * @param {() => [group: string, options: Option[]][]} groups asked for when it is shown first; a group
 *   without name stands by itself
 * @param {(value: any) => string} [words] for a value that is set, and is none of those
 * @param {string} [hint]
 * @returns {Field}
 */
export function choice(name, groups, words = String, hint) {
  const select = /** @type {HTMLSelectElement} */ (h("select", {
    id: name, "data-testid": name, onchange: () => settings.choose({[name]: valueOf(name, select.value)}),
  }));
  const option = (/** @type {Option} */ [value, told]) => h("option", {value: String(value)}, told);
  const fill = () => select.append(...groups().flatMap(([group, options]) =>
    (group ? [h("optgroup", {label: group}, ...options.map(option))] : options.map(option))));
  return {
    element: row(name, select, hint),
    show() {
      if (!select.length) fill();
      const value = String(settings.values[name]);
      const isOffered = [...select.options].some((offered) => offered.value === value);
      if (!isOffered) select.append(option([value, words(settings.values[name])]));
      select.value = value;
    },
  };
}

/**
 * @param {string} title
 * @param {...Field} fields
 * @returns {Field}
 */
export function section(title, ...fields) {
  return {
    element: h("section", {}, h("h3", {}, title), ...fields.map(({element}) => element)),
    show: () => fields.forEach((field) => field.show()),
  };
}

/**
 * A button that is to be pressed twice.
 *
 * @param {string} words
 * @param {string} sure words for the second time
 * @param {Record<string, string | boolean>} attributes
 * @param {() => void} run
 */
export function twice(words, sure, attributes, run) {
  const calm = () => {
    delete button.dataset.sure;
    button.textContent = words;
  };
  const button = h("button", {type: "button", ...attributes, onblur: calm, onclick: () => {
    if (button.dataset.sure === undefined) {
      button.dataset.sure = "";
      button.textContent = sure;
      return;
    }
    calm();
    run();
  }}, words);
  return button;
}

/** @param {Name} name @param {HTMLElement} control @param {string} [hint] */
function row(name, control, hint) {
  const title = SCHEMA[name].title ?? name;
  const words = control.id ? h("label", {for: name}, title) : h("span", {}, title);
  return h("div", {class: "row"}, h("div", {class: "words"}, words, ...(hint ? [h("small", {}, hint)] : [])), control);
}

/** @param {Name} name @param {string} text */
function valueOf(name, text) {
  return SCHEMA[name].type === "number" ? Number(text) : text;
}
