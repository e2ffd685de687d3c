/**
 * Keys of the whole page. One bound by an element is free again when the element has gone; of two
 * that bind the same key the newer one has it. Nothing happens while someone types, with Ctrl, Alt or
 * ⌘ held down, in a dialog, or on a page that is not ours.
 *
 * @typedef {{keys: string, words: string, run: (key: string) => void}} Binding `keys`: one character
 *   each
 */

import {address} from "quotewire/address.js";
import {once} from "quotewire/listeners.js";

const TYPED_INTO = "input:not([type=checkbox], [type=radio], [type=range], [type=button]), "
  + "textarea, select, [contenteditable]";

export class Keys {
  /** @type {Binding[]} newest last */
  #bindings = [];

  /**
   * @param {string} keys as `p`, or `123`: each of them runs it
   * @param {string} words what it does, for the sheet of keys
   * @param {(key: string) => void} run
   * @returns {() => void} ends it
   */
  on(keys, words, run) {
    const binding = {keys, words, run};
    this.#bindings.push(binding);
    return once(() => this.#bindings.splice(this.#bindings.indexOf(binding), 1));
  }

  /** What can be pressed now, in the order it was bound. @returns {{keys: string, words: string}[]} */
  get list() {
    return [...new Map(this.#bindings.map(({keys, words}) => [keys, {keys, words}])).values()];
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const {key, repeat, defaultPrevented, ctrlKey, metaKey, altKey} = event;
    if (repeat || defaultPrevented || ctrlKey || metaKey || altKey || isElsewhere(event)) return;
    const binding = this.#bindings.findLast(({keys}) => key.length === 1 && keys.includes(key));
    if (!binding) return;
    event.preventDefault();
    binding.run(key);
  }
}

/** Whether the key is meant for what has the focus. @param {Event} event */
function isElsewhere(event) {
  const [target] = event.composedPath();
  if (target instanceof Element && target.matches(TYPED_INTO)) return true;
  return event.composedPath().some((above) =>
    above instanceof Element && above.matches("dialog, [role=dialog]"));
}

export const keys = new Keys();
window.addEventListener("keydown", (event) => {
  if (address.ours) keys.press(event);
});
