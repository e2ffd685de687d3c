/** Buttons that let the connection fail on purpose, marked as what they are. */

import {h, setText} from "quotewire/dom.js";
import {button} from "quotewire/debug/parts.js";

/** @typedef {import("../drill.js").Drill} Drill */

/** @type {Record<string, string>} */
const GOES_ON = {refuse: "No link can be opened", freeze: "Links are silent"};

export class DrillBar {
  #drill;
  #state = h("span", {class: "state", role: "status", "data-testid": "debug-drill-state"});
  #end = button("End it", {"data-testid": "debug-drill-end", onclick: () => this.#do(() => this.#drill.end())});
  element;

  /** @param {Drill} drill */
  constructor(drill) {
    this.#drill = drill;
    this.element = h("div", {class: "drill", role: "group", "aria-label": "Simulate a failure", "data-testid": "debug-drill"},
      h("span", {class: "label"}, "Simulate"),
      this.#button("Drop", "drop", "Close the link once: the page connects again", () => drill.drop()),
      this.#button("Refuse 20 s", "refuse", "Let no link be opened for 20 s: polling takes over, if the settings allow it",
        () => drill.refuse()),
      this.#button("Freeze 20 s", "freeze", "Let nothing be heard for 20 s, as if the network had gone",
        () => drill.freeze()),
      this.#end, this.#state);
  }

  /** @param {number} now_ms */
  show(now_ms) {
    const {running} = this.#drill;
    this.#end.hidden = !running;
    this.element.toggleAttribute("data-running", Boolean(running));
    const left = running ? Math.max(0, Math.ceil((running.until_ms - now_ms) / 1000)) : 0;
    setText(this.#state, running ? `${GOES_ON[running.kind]}, ${left} s` : "");
  }

  /** @param {string} words @param {string} name @param {string} title @param {() => void} run */
  #button(words, name, title, run) {
    return button(words, {title, "data-testid": `debug-${name}`, onclick: () => this.#do(run)});
  }

  /** @param {() => void} run */
  #do(run) {
    run();
    this.show(Date.now());
  }
}
