/** How live data comes in: by WebSocket, by polling, or whichever works. */

import {h} from "quotewire/dom.js";
import {mount} from "quotewire/live.js";
import {page} from "quotewire/page.js";

const CHOICES = [
  ["auto", "Auto", "Auto", "WebSocket, and polling while that fails"],
  ["websocket", "WebSocket", "WS", "WebSocket only: pushed as it happens"],
  ["polling", "Polling", "Poll", "HTTP only: asked for every second"],
];

export function render(context) {
  return mount(context, (connection, until) => new TransportSetting(context.model, until).element);
}

class TransportSetting {
  /** @type {Map<string, HTMLElement>} */
  #buttons = new Map();

  constructor(model, until) {
    for (const choice of CHOICES) this.#buttons.set(choice[0], button(...choice));
    this.element = h("div", {
      role: "radiogroup", "aria-label": "Transport", class: "segments", "data-testid": "transport",
      onkeydown: (event) => this.#moveBy(event),
    }, ...this.#buttons.values());
    // What this browser chose before counts; else what the page was made with.
    if (page.storedMode === null && model.transport !== "auto") page.setMode(model.transport);
    const fromPython = () => page.setMode(model.transport);
    model.on("transport", fromPython);
    until(() => model.off("transport", fromPython));
    until(page.onMode((mode) => {
      this.#show(mode);
      model.transport = mode;
    }));
  }

  #show(mode) {
    for (const [value, element] of this.#buttons) {
      element.setAttribute("aria-checked", String(value === mode));
      element.tabIndex = value === mode ? 0 : -1;
    }
  }

  #moveBy(event) {
    const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
    if (!step) return;
    event.preventDefault();
    const modes = [...this.#buttons.keys()];
    const mode = modes[(modes.indexOf(page.mode) + step + modes.length) % modes.length];
    page.setMode(mode);
    this.#buttons.get(mode).focus();
  }
}

function button(mode, label, short, title) {
  return h("button", {
    type: "button", role: "radio", title, "aria-label": label, "data-testid": `transport-${mode}`,
    onclick: () => page.setMode(mode),
  }, h("span", {class: "long"}, label), h("span", {class: "short"}, short));
}
