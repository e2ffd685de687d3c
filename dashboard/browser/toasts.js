/**
 * Short messages over the page, that go by themselves or by a click: one stack for the whole page.
 * While the mouse or the keyboard is on it, nothing goes.
 */

import {h, setText} from "quotewire/dom.js";
import {overPage} from "quotewire/shadow.js";

const SHOWN_MS = 6000;
/** Of more the oldest go. */
const MOST = 4;

/** @typedef {"info" | "good" | "warn" | "bad"} Tone */
/** @typedef {{element: HTMLElement, end: () => void}} Shown */

class Stack {
  /** @type {Shown[]} oldest first */
  #shown = [];
  #list = h("div", {class: "stack"});
  /** @type {HTMLElement | null} made with the first toast */
  #host = null;

  /** @param {Shown} shown */
  add(shown) {
    this.#shown.push(shown);
    this.#list.append(shown.element);
    this.#raise();
    for (const {end} of this.#shown.slice(0, -MOST)) end();
  }

  /** @param {Shown} shown */
  remove(shown) {
    this.#shown = this.#shown.filter((other) => other !== shown);
    shown.element.remove();
  }

  get isAttended() {
    return this.#list.matches(":hover, :focus-within");
  }

  /** To the top of the browser's top layer: over a drawer that was opened since. */
  #raise() {
    this.#host ??= overPage("toasts", ["tokens", "toasts"], this.#list);
    if (this.isAttended) return; // it would lose the keyboard's focus
    this.#host.popover = "manual";
    if (this.#host.matches(":popover-open")) this.#host.hidePopover();
    this.#host.showPopover();
  }
}

const stack = new Stack();

/**
 * @param {string} text for a person
 * @param {object} [options]
 * @param {Tone} [options.tone] `bad` is read out at once
 * @param {number} [options.shown_ms] Infinity: until it is taken away
 * @returns {() => void} takes it away
 */
export function toast(text, {tone = "info", shown_ms = SHOWN_MS} = {}) {
  const words = h("p");
  const element = h("div", {
    class: "toast", role: tone === "bad" ? "alert" : "status", "data-tone": tone, "data-testid": "toast",
  }, h("i", {class: "mark", "aria-hidden": "true"}), words, h("button", {
    type: "button", "aria-label": "Dismiss", "data-testid": "toast-dismiss", onclick: end,
  }, "×"));
  const shown = {element, end};
  stack.add(shown);
  setTimeout(() => setText(words, text)); // a screen reader tells only what changes in what is there
  let timer = wait();
  function wait() {
    if (shown_ms === Infinity) return undefined;
    return setTimeout(() => (stack.isAttended ? (timer = wait()) : end()), shown_ms);
  }
  function end() {
    clearTimeout(timer);
    stack.remove(shown);
  }
  return end;
}
