/** Indicators of a chart: added from the whole list, set, taken away, kept as templates. */

import {foundIn} from "quotewire/chart/indicator_search.js";
import {ParameterForm} from "quotewire/chart/parameter_form.js";
import {parseSpec} from "quotewire/chart/indicator_spec.js";
import {Templates} from "quotewire/chart/templates.js";
import {h, setText} from "quotewire/dom.js";
import {openBelow} from "quotewire/popover.js";

/**
 * @typedef {import("./indicator_catalog.js").IndicatorInfo} IndicatorInfo
 * @typedef {import("./indicator_catalog.js").IndicatorCatalog} IndicatorCatalog
 *
 * @typedef {object} Chosen
 * @property {() => string[]} specs
 * @property {(specs: string[]) => void} choose
 * @property {() => string} symbol any that the feed has
 */

export class IndicatorForm {
  #catalog;
  #chosen;
  #templates;
  /** @type {IndicatorInfo[]} */
  #infos = [];
  #find = /** @type {HTMLInputElement} */ (h("input", {
    type: "search", placeholder: "Find: RSI, moving average, pattern …", "aria-label": "Find an indicator",
    autocomplete: "off", spellcheck: "false", "data-testid": "indicator-find",
    oninput: () => this.#list(), onkeydown: (event) => this.#key(event),
  }));
  #own = h("ul", {class: "own", "aria-label": "On this chart"});
  #found = h("div", {class: "found groups", tabindex: "-1"});
  #note = h("p", {class: "note", role: "status"});
  #choice;
  #place = h("div");
  element = h("div", {
    popover: "auto", role: "dialog", "aria-label": "Indicators", class: "popover form",
    "data-testid": "indicator-form",
  }, this.#place);

  /** @param {IndicatorCatalog} catalog @param {Chosen} chosen */
  constructor(catalog, chosen) {
    this.#catalog = catalog;
    this.#chosen = chosen;
    this.#templates = new Templates(chosen, () => this.#showOwn());
    this.#choice = h("div", {}, h("h3", {}, "Indicators"), this.#own, this.#templates.element, this.#find,
      this.#found, this.#note);
  }

  /** @param {HTMLElement} button it was opened by */
  async open(button) {
    this.#find.value = "";
    this.#back();
    openBelow(this.element, button);
    this.#find.focus();
    await this.#load();
  }

  /** @param {string} spec one that is on the chart @param {HTMLElement} button */
  async openAt(spec, button) {
    await this.open(button);
    this.#edit(spec);
  }

  /** @param {string} spec */
  #edit(spec) {
    const parsed = parseSpec(spec);
    const info = this.#infos.find(({name}) => name === parsed?.name);
    if (info && parsed) this.#set(info, parsed.values, spec);
  }

  async #load() {
    setText(this.#note, this.#infos.length ? "" : "Loading the list …");
    try {
      this.#infos = [...(await this.#catalog.all()).values()];
    } catch {
      setText(this.#note, "The feed cannot be asked for its indicators now.");
      return;
    }
    this.#list();
  }

  #back() {
    this.#place.replaceChildren(this.#choice);
    this.#showOwn();
    this.#templates.show();
    this.#list();
  }

  #showOwn() {
    this.#own.replaceChildren(...this.#chosen.specs().map((spec) => h("li", {},
      h("button", {type: "button", class: "name", title: "Edit", onclick: () => this.#edit(spec)}, spec),
      h("button", {
        type: "button", class: "remove", "aria-label": `Remove ${spec}`, title: "Remove",
        onclick: () => this.#remove(spec),
      }, "×"))));
  }

  #list() {
    const groups = foundIn(this.#infos, this.#find.value);
    this.#found.replaceChildren(...groups.map(([group, infos]) => h("section", {},
      h("h4", {}, group), h("ul", {}, ...infos.map((info) => h("li", {}, this.#button(info)))))));
    if (this.#infos.length) setText(this.#note, groups.length ? "" : "There is no indicator like that.");
  }

  /** @param {IndicatorInfo} info */
  #button(info) {
    return h("button", {
      type: "button", "data-testid": `choose-${info.name}`, onclick: () => this.#set(info, [], null),
    }, h("b", {}, info.name), h("span", {}, info.title));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const wanted = this.#find.value.trim().toUpperCase();
    const exact = this.#infos.find(({name}) => name === wanted);
    if (exact) this.#set(exact, [], null);
    else /** @type {HTMLElement | null} */ (this.#found.querySelector("button"))?.click();
  }

  /** @param {IndicatorInfo} info @param {number[]} values @param {string | null} instead of this one */
  #set(info, values, instead) {
    const form = new ParameterForm(info, {
      values, action: instead ? "Change" : "Add", onBack: () => this.#back(),
      onDone: (spec) => this.#done(spec, instead),
    });
    this.#place.replaceChildren(form.element);
    form.focus();
  }

  /** @param {string} spec @param {string | null} instead @returns {Promise<string>} what is against it */
  async #done(spec, instead) {
    const refusal = await this.#catalog.refusal(spec, this.#chosen.symbol());
    if (refusal) return refusal;
    const specs = this.#chosen.specs();
    const next = instead ? specs.map((other) => (other === instead ? spec : other)) : [...specs, spec];
    this.#chosen.choose([...new Set(next)]);
    this.element.hidePopover();
    return "";
  }

  /** @param {string} spec */
  #remove(spec) {
    this.#chosen.choose(this.#chosen.specs().filter((other) => other !== spec));
    this.#showOwn();
  }
}
