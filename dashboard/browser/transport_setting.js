/** How live data comes in: by WebSocket, by polling, or whichever works; and how often. */

import {h} from "quotewire/dom.js";
import {mount} from "quotewire/live.js";
import {openBelow} from "quotewire/popover.js";
import {settings} from "quotewire/settings.js";

/** @type {[import("./settings.js").Mode, string, string, string][]} */
const CHOICES = [
  ["auto", "Auto", "Auto", "WebSocket, and polling while that fails"],
  ["websocket", "WebSocket", "WS", "WebSocket only: pushed as it happens"],
  ["polling", "Polling", "Poll", "HTTP only: asked for at an interval"],
];
const STEPS = new Map([["ArrowRight", 1], ["ArrowDown", 1], ["ArrowLeft", -1], ["ArrowUp", -1]]);
const POLLS_MS = [500, 1000, 2000, 5000, 10_000, 30_000];
const RATES_HZ = [0, 1, 2, 5, 10, 20, 30];
/** @param {number} poll_ms */
const everyWords = (poll_ms) => (poll_ms < 1000 ? `${poll_ms} ms` : `${poll_ms / 1000} s`);
/** @param {number} max_hz */
const rateWords = (max_hz) => (max_hz ? `${max_hz} a second` : "the feed’s pace");

/**
 * Python's names of the settings.
 *
 * @type {[string, keyof import("./settings.js").Values][]}
 */
const NAMES = [["transport", "mode"], ["poll_ms", "poll_ms"], ["max_hz", "max_hz"]];

/** @param {import("./panel.d.ts").ElementContext} context */
export function render(context) {
  return mount(context, (_, until) => new TransportSetting(context.model, until).element);
}

class TransportSetting {
  #mode = new Segments((mode) => settings.choose({mode}));
  #poll = new Choice("Poll every", "poll-ms", POLLS_MS, everyWords,
    (poll_ms) => settings.choose({poll_ms}));
  #rate = new Choice("Updates at most", "max-hz", RATES_HZ, rateWords,
    (max_hz) => settings.choose({max_hz}));

  /**
   * @param {import("./panel.d.ts").ElementModel} model
   * @param {(end: () => void) => void} until
   */
  constructor(model, until) {
    const popover = h("div", {
      popover: "auto", role: "dialog", "aria-label": "How often", class: "popover",
    }, this.#poll.element, this.#rate.element);
    const more = h("button", {
      type: "button", class: "more", title: "How often data comes", "aria-label": "How often",
      "aria-haspopup": "dialog", "data-testid": "transport-more",
      onclick: () => openBelow(popover, more),
    }, "⋯");
    this.element = h("div", {class: "transport", "data-testid": "transport"},
      this.#mode.element, more, popover);
    for (const [name, key] of NAMES) {
      settings.suggest({[key]: model[name]});
      const fromPython = () => settings.choose({[key]: model[name]});
      model.on(name, fromPython);
      until(() => model.off(name, fromPython));
    }
    until(settings.onChange((values) => {
      this.#show(values);
      for (const [name, key] of NAMES) model[name] = values[key];
    }));
  }

  /** @param {import("./settings.js").Values} values */
  #show({mode, poll_ms, max_hz}) {
    this.#mode.show(mode);
    this.#poll.show(poll_ms);
    this.#rate.show(max_hz);
  }
}

/** One of a few, side by side. */
class Segments {
  /** @type {Map<string, HTMLElement>} */
  #buttons = new Map();

  /** @param {(mode: import("./settings.js").Mode) => void} onChoose */
  constructor(onChoose) {
    for (const [value, label, short, title] of CHOICES) {
      this.#buttons.set(value, h("button", {
        type: "button", role: "radio", title, "aria-label": label,
        "data-testid": `transport-${value}`, onclick: () => onChoose(value),
      }, h("span", {class: "long"}, label), h("span", {class: "short"}, short)));
    }
    this.element = h("div", {
      role: "radiogroup", "aria-label": "Transport", class: "segments",
      onkeydown: (event) => this.#moveBy(event),
    }, ...this.#buttons.values());
  }

  /** @param {string} chosen */
  show(chosen) {
    for (const [value, element] of this.#buttons) {
      element.setAttribute("aria-checked", String(value === chosen));
      element.tabIndex = value === chosen ? 0 : -1;
    }
  }

  /** @param {KeyboardEvent} event */
  #moveBy(event) {
    const step = STEPS.get(event.key);
    if (step === undefined) return;
    event.preventDefault();
    const buttons = [...this.#buttons.values()];
    const at = buttons.findIndex(({tabIndex}) => tabIndex === 0);
    const next = buttons[(at + step + buttons.length) % buttons.length];
    next.click();
    next.focus();
  }
}

/** One of some numbers, in words. */
class Choice {
  #select;
  #words;

  /**
   * @param {string} label
   * @param {string} testId
   * @param {number[]} values to choose from
   * @param {(value: number) => string} words for one of them
   * @param {(value: number) => void} onChoose
   */
  constructor(label, testId, values, words, onChoose) {
    this.#words = words;
    const select = h("select", {
      "data-testid": testId, onchange: () => onChoose(Number(this.#select.value)),
    });
    this.#select = /** @type {HTMLSelectElement} */ (select);
    values.forEach((value) => this.#offer(value));
    this.element = h("label", {}, h("span", {}, label), this.#select);
  }

  /** @param {number} value which need not be one of those offered */
  show(value) {
    const offered = [...this.#select.options].some((option) => option.value === String(value));
    if (!offered) this.#offer(value);
    this.#select.value = String(value);
  }

  /** @param {number} value */
  #offer(value) {
    this.#select.append(h("option", {value: String(value)}, this.#words(value)));
  }
}
