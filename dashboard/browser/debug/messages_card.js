/** The last messages, newest first: to be filtered, stopped, opened and copied. */

import {h, setText} from "quotewire/dom.js";
import {briefly, filterOf, kindsOf, linesOf} from "quotewire/debug/message_words.js";
import {button, card} from "quotewire/debug/parts.js";
import {copyText} from "quotewire/exports/hand_over.js";
import {formatBytes, formatCount} from "quotewire/format.js";
import {KeyedRows} from "quotewire/keyed_rows.js";
import {toast} from "quotewire/toasts.js";
import {pageZone} from "quotewire/wording.js";
import {wallClock} from "quotewire/zone.js";

const SHOWN = 100;
const ARROWS = {in: "↓", out: "↑"};
const OPENED_CHARACTERS = 20_000;

/** @typedef {import("./ring.js").Kept} Kept */

export class MessagesCard {
  #ring;
  #kind = /** @type {HTMLSelectElement} */ (h("select", {
    "aria-label": "Kind of messages", "data-testid": "debug-messages-kind", onchange: () => this.show(),
  }, h("option", {value: ""}, "All kinds")));
  #symbol = /** @type {HTMLInputElement} */ (h("input", {
    type: "search", placeholder: "Symbol", "aria-label": "Symbol in the messages", maxlength: "64",
    "data-testid": "debug-messages-symbol", oninput: () => this.show(),
  }));
  #pause = button("Pause", {
    "aria-pressed": "false", "data-testid": "debug-messages-pause", onclick: () => this.#toggle(),
  });
  #copy = button("Copy", {"data-testid": "debug-messages-copy", onclick: () => this.#copyAll()});
  #count = h("span", {class: "muted", "data-testid": "debug-messages-count"});
  #list = h("ol", {
    class: "messages", "data-testid": "debug-messages-list", onfocusin: () => this.#hold(),
  });
  #rows = new KeyedRows(this.#list);
  #empty = h("p", {class: "empty"}, "Nothing has come, or nothing passes the filter.");
  #opened = h("pre", {hidden: true, tabindex: "0", "aria-label": "Message", "data-testid": "debug-message"});
  element = card("Last messages", "messages",
    {note: this.#count, tools: [this.#kind, this.#symbol, this.#pause, this.#copy]},
    h("div", {class: "scroll", tabindex: "0", role: "group", "aria-label": "Last messages"}, this.#list, this.#empty),
    this.#opened);
  /** @type {number | null} the newest that is shown while it stands still */
  #upTo = null;
  /** Number of the one on top. */
  #newest = 0;
  #kinds = "";
  #told = "";

  /** @param {import("./ring.js").Ring} ring */
  constructor(ring) {
    this.#ring = ring;
  }

  show() {
    this.#offerKinds();
    const shown = this.#shown();
    const all = `${formatCount(this.#ring.length)} kept of ${formatCount(this.#ring.count)}`;
    setText(this.#count, this.#upTo === null ? all : `stands still · ${all}`);
    const told = `${pageZone()} ${shown.map(({number}) => number).join()}`;
    if (told === this.#told) return;
    this.#told = told;
    this.#newest = shown[0]?.number ?? 0;
    this.#empty.hidden = shown.length > 0;
    this.#rows.show(shown.map((kept) => [`${pageZone()} ${kept.number}`, () => this.#row(kept)]));
  }

  /** @returns {Kept[]} newest first */
  #shown() {
    const passes = filterOf(this.#kind.value, this.#symbol.value);
    return this.#ring.newest(passes, SHOWN, this.#upTo ?? Infinity);
  }

  #offerKinds() {
    const kinds = kindsOf(this.#ring.all());
    const told = kinds.join();
    if (told === this.#kinds) return;
    this.#kinds = told;
    const chosen = this.#kind.value;
    const offered = chosen && !kinds.includes(chosen) ? [chosen, ...kinds] : kinds;
    this.#kind.replaceChildren(h("option", {value: ""}, "All kinds"),
      ...offered.map((kind) => h("option", {value: kind}, kind)));
    this.#kind.value = chosen;
  }

  /** @param {Kept} kept */
  #row(kept) {
    const {at_ms, direction, way, kind, bytes} = kept;
    return h("li", {"data-direction": direction}, h("button", {
      type: "button", title: "Show it whole", onclick: () => this.#open(kept),
    }, h("time", {}, preciseClock(at_ms)), h("i", {title: direction === "in" ? "received" : "sent"}, ARROWS[direction]),
    h("b", {}, kind), h("span", {class: "size"}, bytes ? formatBytes(bytes) : way), h("code", {}, briefly(kept))));
  }

  /** What is looked at does not run away. @param {Kept} kept */
  #open(kept) {
    this.#stop(this.#upTo ?? this.#ring.count);
    const text = JSON.stringify(kept.body, null, 1);
    const cut = text.length > OPENED_CHARACTERS ? `\n… ${formatCount(text.length - OPENED_CHARACTERS)} characters more` : "";
    setText(this.#opened, text.slice(0, OPENED_CHARACTERS) + cut);
    this.#opened.hidden = false;
  }

  /** Nor does what the keyboard has come to. */
  #hold() {
    if (this.#upTo === null) this.#stop(this.#newest);
  }

  #toggle() {
    this.#stop(this.#upTo === null ? this.#ring.count : null);
  }

  /** @param {number | null} upTo null: it goes on */
  #stop(upTo) {
    this.#upTo = upTo;
    this.#pause.setAttribute("aria-pressed", String(upTo !== null));
    setText(this.#pause, upTo === null ? "Pause" : "Go on");
    if (upTo === null) this.#opened.hidden = true;
    this.show();
  }

  async #copyAll() {
    const shown = this.#shown();
    try {
      await copyText(linesOf(shown.toReversed()), this.#copy);
      toast(`${formatCount(shown.length)} messages are copied, one a line.`, {tone: "good"});
    } catch {
      toast("The browser does not let this page copy. “Download diagnostics” has the messages too.", {tone: "warn"});
    }
  }
}

/** @param {number} at_ms */
function preciseClock(at_ms) {
  return `${wallClock(pageZone(), at_ms).clock}.${String(Math.floor(at_ms) % 1000).padStart(3, "0")}`;
}
