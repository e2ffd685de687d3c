/** Indicators kept under a name, to be put on another chart. */

import {h, setText} from "quotewire/dom.js";
import {settings} from "quotewire/settings.js";
import {SCHEMA} from "quotewire/settings_schema.js";

const LONGEST = 40;
const MOST = SCHEMA.chart_templates.maxItems ?? Infinity;

export class Templates {
  #chosen;
  #onUse;
  #select = /** @type {HTMLSelectElement} */ (h("select", {
    "aria-label": "Template", "data-testid": "template", onchange: () => this.#use(),
  }));
  #remove = h("button", {
    type: "button", title: "Delete this template", "aria-label": "Delete this template",
    "data-testid": "template-delete", onclick: () => this.#delete(),
  }, "×");
  #name = /** @type {HTMLInputElement} */ (h("input", {
    type: "text", maxlength: String(LONGEST), placeholder: "Save these as …", "aria-label": "Name of a template",
    autocomplete: "off", "data-testid": "template-name",
    onkeydown: (event) => event.key === "Enter" && this.#save(),
  }));
  #note = h("p", {class: "note", role: "status"});
  element = h("div", {class: "templates"}, this.#select, this.#remove, this.#name,
    h("button", {type: "button", "data-testid": "template-save", onclick: () => this.#save()}, "Save"), this.#note);

  /** @param {import("./indicator_form.js").Chosen} chosen @param {() => void} onUse */
  constructor(chosen, onUse) {
    this.#chosen = chosen;
    this.#onUse = onUse;
  }

  get #kept() {
    return settings.values.chart_templates;
  }

  /** What is kept now. */
  show() {
    const named = this.#kept.map(({name}) => h("option", {value: name}, name));
    this.#select.replaceChildren(h("option", {value: ""}, named.length ? "Templates …" : "No templates yet"), ...named);
    this.#select.disabled = !named.length;
    this.#remove.hidden = true;
    setText(this.#note, "");
  }

  #use() {
    const found = this.#kept.find(({name}) => name === this.#select.value);
    this.#remove.hidden = !found;
    if (!found) return;
    this.#chosen.choose(found.indicators);
    this.#onUse();
  }

  #save() {
    const name = this.#name.value.trim();
    const indicators = this.#chosen.specs();
    if (!name || !indicators.length) {
      setText(this.#note, name ? "Add an indicator first." : "Give it a name.");
      return;
    }
    const others = this.#kept.filter((kept) => kept.name !== name);
    if (others.length >= MOST) {
      setText(this.#note, `There is room for ${MOST} templates: delete one first.`);
      return;
    }
    const refused = settings.choose({chart_templates: [...others, {name, indicators}]});
    if (refused.length) {
      setText(this.#note, `These indicators cannot be kept as “${name}”.`);
      return;
    }
    this.#name.value = "";
    this.show();
    setText(this.#note, `Saved as “${name}”.`);
  }

  #delete() {
    const gone = this.#select.value;
    settings.choose({chart_templates: this.#kept.filter(({name}) => name !== gone)});
    this.show();
  }
}
