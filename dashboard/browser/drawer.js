/** A drawer at the right, over the page: a dialog with a title, a close button and what is in it. */

import {h} from "quotewire/dom.js";

export class Drawer {
  /** @type {HTMLDialogElement} */
  #dialog;
  element;

  /**
   * @param {object} told
   * @param {string} told.title
   * @param {string} told.name test ids begin with it
   * @param {() => void} [told.onClose]
   * @param {...Node} content below the header
   */
  constructor({title, name, onClose}, ...content) {
    const id = `${name}-title`;
    this.#dialog = /** @type {HTMLDialogElement} */ (h("dialog", {
      "aria-labelledby": id, "data-testid": `${name}-drawer`, onclose: () => onClose?.(),
      onclick: (/** @type {Event} */ {target}) => target === this.#dialog && this.close(),
    }, h("div", {class: "drawer"}, h("header", {class: "drawer-head"}, h("h2", {id}, title), h("button", {
      type: "button", class: "close", "aria-label": `Close ${title.toLowerCase()}`,
      "data-testid": `${name}-close`, onclick: () => this.close(),
    }, "×")), ...content)));
    this.element = h("div", {}, this.#dialog);
  }

  get isOpen() {
    return this.#dialog.open;
  }

  open() {
    if (!this.isOpen) this.#dialog.showModal();
  }

  close() {
    this.#dialog.close();
  }
}
