/** The form that sets an alert. */

import {address} from "quotewire/address.js";
import {CONDITIONS, hintWords, isChange} from "quotewire/alerts/words.js";
import {askPermission, decimalsOf} from "quotewire/alerts/told.js";
import {h, setText} from "quotewire/dom.js";
import {explain} from "quotewire/feed_error.js";
import {spelled} from "quotewire/symbol_match.js";

/** @typedef {import("./book.js").Condition} Condition */
/** @typedef {import("../core/quote_book.js").Quote} Quote */

const MOST_NOTE = 200;
const MOST_SYMBOL = 64;

export class AlertForm {
  #connection;
  #alerts;
  #symbols = h("datalist", {id: "alert-symbols"});
  #symbol = input({
    type: "text", list: "alert-symbols", required: true, maxlength: String(MOST_SYMBOL),
    autocomplete: "off", spellcheck: "false", "data-testid": "alert-symbol",
  }, () => this.#follow());
  #condition = /** @type {HTMLSelectElement} */ (h("select", {
    "data-testid": "alert-condition", onchange: () => this.#propose(),
  }, ...Object.entries(CONDITIONS).map(([value, {name}]) => h("option", {value}, name))));
  #level = input({
    type: "number", step: "any", required: true, inputmode: "decimal", "data-testid": "alert-level",
  }, () => this.#hint());
  #unit = h("span", {class: "unit"});
  #repeat = input({type: "checkbox", "data-testid": "alert-repeat"}, () => {});
  #note = input({
    type: "text", maxlength: String(MOST_NOTE), placeholder: "Note (optional)", "aria-label": "Note",
    "data-testid": "alert-note",
  }, () => {});
  #says = h("p", {class: "hint", role: "status", "data-testid": "alert-hint"});
  #submit = h("button", {type: "submit", class: "primary", "data-testid": "alert-set"}, "Set alert");
  element = h("form", {
    onsubmit: (/** @type {Event} */ event) => this.#set(event),
  },
  field("Symbol", this.#symbol, "short"), field("When", this.#condition, ""),
  field("Level", h("span", {class: "level"}, this.#level, this.#unit), ""),
  this.#symbols, this.#says, this.#note,
  h("label", {class: "check"}, this.#repeat, "Every time, not only once"), this.#submit);
  /** @type {Quote | null} */
  #quote = null;
  #quoted = "";
  #endQuotes = () => {};
  #isOpen = false;

  /** @param {import("../connection.js").Connection} connection @param {import("./feed.js").AlertsFeed} alerts */
  constructor(connection, alerts) {
    this.#connection = connection;
    this.#alerts = alerts;
  }

  /** Begin with a symbol. @param {string} [symbol] the one that is shown, where none is named */
  open(symbol) {
    this.#isOpen = true;
    const known = [...(this.#connection.symbols?.keys() ?? [])];
    this.#symbols.replaceChildren(...known.map((name) => h("option", {value: name})));
    this.#symbol.value = symbol ?? address.get("symbol") ?? known[0] ?? "";
    this.#level.value = "";
    this.#follow();
  }

  /** Fill it with what was set before. @param {import("./book.js").Fired} fired */
  fill({symbol, condition, level, repeat, note}) {
    this.open(symbol);
    this.#condition.value = condition;
    this.#level.value = String(level);
    this.#repeat.checked = repeat;
    this.#note.value = note;
    this.#hint();
    this.#level.focus();
  }

  close() {
    this.#isOpen = false;
    this.#endQuotes();
    this.#endQuotes = () => {};
    this.#quoted = "";
    this.#quote = null;
  }

  /** Follow the price of the symbol that is written, where there is one. */
  #follow() {
    const symbol = this.#name();
    if (symbol !== this.#quoted && this.#isOpen) {
      this.#endQuotes();
      this.#quote = null;
      this.#quoted = symbol;
      this.#level.value = "";
      const isKnown = this.#connection.symbols?.has(symbol);
      this.#endQuotes = isKnown ? this.#connection.subscribeQuotes([symbol], ([quote]) => {
        const isFirst = this.#quote === null;
        this.#quote = quote;
        if (isFirst && this.#level.value === "") this.#propose();
        else if (!this.#says.dataset.tone) this.#hint(); // what went wrong stays
      }) : () => {};
    }
    this.#hint();
  }

  #name() {
    return spelled(this.#symbol.value.trim(), this.#connection.symbols?.keys() ?? []);
  }

  /** Begin at the price, or at no change. */
  #propose() {
    const change = isChange(this.#rule().condition);
    setText(this.#unit, change ? "%" : "");
    const price = this.#quote?.last.toFixed(decimalsOf(this.#connection, this.#name())) ?? "";
    this.#level.value = change ? "" : price;
    this.#hint();
  }

  #rule() {
    const condition = /** @type {Condition} */ (this.#condition.value);
    return {symbol: this.#name(), condition, level: this.#level.valueAsNumber};
  }

  #hint() {
    const rule = this.#rule();
    setText(this.#unit, isChange(rule.condition) ? "%" : "");
    this.#say(hintWords(rule, this.#quote, decimalsOf(this.#connection, rule.symbol)));
  }

  /** @param {string} text @param {"" | "bad"} [tone] */
  #say(text, tone = "") {
    this.#says.dataset.tone = tone;
    setText(this.#says, text);
  }

  /** @param {Event} event */
  async #set(event) {
    event.preventDefault();
    askPermission(); // now, while it is the user's click
    this.#submit.toggleAttribute("disabled", true);
    try {
      const {checked: repeat} = this.#repeat;
      await this.#alerts.set({...this.#rule(), repeat, note: this.#note.value});
      this.#note.value = "";
      this.#repeat.checked = false;
      this.#hint();
    } catch (error) {
      this.#say(explain(error).reason, "bad");
    } finally {
      this.#submit.toggleAttribute("disabled", false);
    }
  }
}

/** @param {Record<string, string | boolean>} attributes @param {() => void} oninput */
function input(attributes, oninput) {
  return /** @type {HTMLInputElement} */ (h("input", {...attributes, oninput}));
}

/** @param {string} name @param {Node} control @param {string} kind */
function field(name, control, kind) {
  return h("label", {class: `field ${kind}`}, h("span", {}, name), control);
}
