/** The drawer at the right with all that a user can set; opened by the event `quotewire:settings`. */

import {h, setText} from "quotewire/dom.js";
import {Drawer} from "quotewire/drawer.js";
import {keys} from "quotewire/keys.js";
import {mount} from "quotewire/live.js";
import {settings} from "quotewire/settings.js";
import {twice} from "quotewire/settings_drawer/fields.js";
import {dataSection, lookSection, pagesSection, wordingSection} from "quotewire/settings_drawer/sections.js";
import {SettingsSync} from "quotewire/settings_drawer/sync.js";
import {exported, imported, save, textOf} from "quotewire/settings_drawer/transfer.js";
import {Watchlists} from "quotewire/settings_drawer/watchlists.js";
import {NAMES} from "quotewire/settings_entries.js";
import {SCHEMA} from "quotewire/settings_schema.js";
import {toast} from "quotewire/toasts.js";

const OPEN = "quotewire:settings";
/** Those whose first values are known. @type {WeakSet<object>} */
const told = new WeakSet();

/** @typedef {import("../settings.js").Name} Name */

/** @param {import("../panel.d.ts").ElementContext} context */
export function render(context) {
  return mount(context, (connection, until) => {
    const {user} = context.model;
    settings.belongTo(user);
    const sync = user ? new SettingsSync(connection, until) : null;
    const drawer = new SettingsDrawer(connection, () => whereWords(user, sync?.problem ?? null));
    const open = () => drawer.open();
    window.addEventListener(OPEN, open);
    until(() => window.removeEventListener(OPEN, open));
    until(keys.on(",", "Settings", open));
    until(settings.onRefused(tellRefused));
    until(settings.onChange(() => drawer.isOpen && drawer.show()));
    if (sync) until(sync.onChange(() => drawer.isOpen && drawer.show()));
    suggest(context);
    followModel(context.model, until);
    return drawer.element;
  }, {rewords: true});
}

class SettingsDrawer {
  #fields;
  #where;
  #kept = h("p", {class: "note", "data-testid": "settings-where"});
  #note = h("p", {class: "note", role: "status", "data-testid": "settings-note"});
  #file = /** @type {HTMLInputElement} */ (h("input", {
    type: "file", accept: "application/json,.json", hidden: true, "data-testid": "settings-file",
    onchange: () => this.#import(),
  }));
  #drawer;

  /** @param {import("../connection.js").Connection} connection @param {() => string} where they are kept, in words */
  constructor(connection, where) {
    this.#where = where;
    this.#fields = [
      dataSection(), lookSection(), wordingSection(), pagesSection(), new Watchlists(connection),
    ];
    this.#drawer = new Drawer({title: "Settings", name: "settings"},
      h("div", {class: "scroll"}, ...this.#fields.map(({element}) => element)), this.#footer());
    this.element = this.#drawer.element;
  }

  get isOpen() {
    return this.#drawer.isOpen;
  }

  open() {
    if (this.isOpen) return;
    setText(this.#note, "");
    this.show();
    this.#drawer.open();
  }

  show() {
    for (const field of this.#fields) field.show();
    setText(this.#kept, this.#where());
  }

  #footer() {
    return h("footer", {}, this.#note, h("div", {class: "line"},
      h("button", {
        type: "button", class: "plain", "data-testid": "settings-export",
        onclick: () => save(exported(settings.values), "quotewire-settings.json"),
      }, "Export"),
      h("button", {
        type: "button", class: "plain", "data-testid": "settings-import", onclick: () => this.#file.click(),
      }, "Import"), this.#file,
      twice("Reset", "Reset everything?", {class: "plain last", "data-testid": "settings-reset"}, () => {
        settings.reset();
        setText(this.#note, "Everything is as usual again.");
      })), this.#kept);
  }

  async #import() {
    const [file] = this.#file.files ?? [];
    if (!file) return;
    const told = imported(await textOf(file));
    this.#file.value = ""; // so that the same can be chosen again
    if (told) settings.choose(told.values);
    setText(this.#note, told ? importWords(Object.keys(told.values).length, told.refused)
      : "This file holds no settings of Quotewire.");
  }
}

/** @param {string} user @param {string | null} problem */
function whereWords(user, problem) {
  if (!settings.isKept) return "This browser keeps nothing: all is lost when the page is closed.";
  if (!user || problem === null) return "Kept in this browser.";
  if (problem) return `Kept in this browser, but not by the feed: ${problem}`;
  return `Kept in this browser, and by the feed for ${user}.`;
}

/** @param {number} count @param {Name[]} refused */
function importWords(count, refused) {
  const taken = count === 1 ? "1 setting is taken over." : `${count} settings are taken over.`;
  return refused.length ? `${taken} The file has no usable value for: ${titles(refused)}.` : taken;
}

/** @param {Name[]} names */
function tellRefused(names) {
  const which = names.length === NAMES.length ? "The settings that this browser kept"
    : `Some settings that this browser kept (${titles(names)})`;
  toast(`${which} cannot be used, and are as usual again.`, {tone: "warn"});
}

/** @param {Name[]} names */
function titles(names) {
  return names.map((name) => SCHEMA[name].title).join(", ");
}

/** What the page was made with; later it has what was chosen. @param {import("../panel.d.ts").ElementContext} context */
function suggest({model, view}) {
  const data = view.model?.data ?? model; // of all drawings of it
  if (told.has(data)) return;
  told.add(data);
  settings.suggest(Object.fromEntries(NAMES.map((name) => [name, model[name]])));
}

/** Python has the same values. @param {import("../panel.d.ts").ElementModel} model @param {(end: () => void) => void} until */
function followModel(model, until) {
  for (const name of NAMES) {
    const chosen = () => settings.choose({[name]: model[name]});
    model.on(name, chosen);
    until(() => model.off(name, chosen));
  }
  until(settings.onChange((values) => {
    for (const name of NAMES) {
      if (JSON.stringify(model[name]) !== JSON.stringify(values[name])) model[name] = values[name];
    }
  }));
}
