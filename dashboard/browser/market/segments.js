/** A choice of one of a few, all of which are seen. */

import {h} from "quotewire/dom.js";

/**
 * @param {string} label
 * @param {[value: string, title: string][]} choices
 * @param {(value: string) => void} choose
 */
export function segments(label, choices, choose) {
  const buttons = choices.map(([value, title]) => ({
    value,
    button: h("button", {type: "button", "data-testid": `show-${value}`, onclick: () => choose(value)}, title),
  }));
  return {
    element: h("div", {class: "segments", role: "group", "aria-label": label}, ...buttons.map(({button}) => button)),
    /** @param {string} chosen */
    mark(chosen) {
      for (const {value, button} of buttons) button.setAttribute("aria-pressed", String(value === chosen));
    },
  };
}
