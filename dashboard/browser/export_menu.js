/** What can be taken along of what is shown: a file, code, a link, a picture. */

import {h, setText} from "quotewire/dom.js";
import {download} from "quotewire/exports/download.js";
import {copyText, saveFile} from "quotewire/exports/hand_over.js";
import {Feed} from "quotewire/feed.js";
import {FeedError} from "quotewire/feed_error.js";
import {formatCount} from "quotewire/format.js";
import {openBelow} from "quotewire/popover.js";
import {toast} from "quotewire/toasts.js";

const LONG_MS = 12_000;
const UNREACHABLE = "this browser does not reach the feed, which makes the file. "
  + "The pandas code works wherever Python does";

/**
 * @typedef {import("./exports/plan.js").Export} Export
 * @typedef {import("./exports/download.js").Form} Form
 *
 * @typedef {object} Shown asked for each time that the menu opens
 * @property {() => Export[]} exports of which one is chosen; none where there is nothing to export
 * @property {() => string | null} link null where the page's address tells nothing of it
 * @property {(() => Promise<{blob: Blob, name: string}>) | null} picture
 */

export class ExportMenu {
  #connection;
  #shown;
  /** @type {Export[]} */
  #exports = [];
  #chosen = 0;
  /** Name of the one that the user has chosen. */
  #liked = "";
  /** @type {AbortController | null} while a file is loaded */
  #loading = null;
  /** @type {HTMLElement | null} that opened it */
  #button = null;
  #label = "";
  #choices = h("div", {class: "choices", role: "group", "aria-label": "What"});
  #words = h("p", {role: "status", "data-testid": "export-words"});
  #bar = /** @type {HTMLProgressElement} */ (h("progress", {"aria-label": "Loading", max: "1"}));
  #progress = h("div", {class: "progress", hidden: true}, this.#bar, this.#words,
    h("button", {type: "button", "data-testid": "export-cancel", onclick: () => this.#loading?.abort()}, "Cancel"));
  #files = [
    this.#entry("export-csv", "CSV", "for spreadsheets", () => this.#save("csv")),
    this.#entry("export-parquet", "Parquet", "for pandas, exact types", () => this.#save("parquet")),
  ];
  #code = this.#entry("copy-code", "Copy pandas code", "for the same data", () => this.#copyCode());
  #link = this.#entry("copy-link", "Copy link", "to this view", () => this.#copyLink());
  #picture = this.#entry("picture", "Picture", "PNG, as it looks now", () => this.#savePicture());
  element = h("div", {
    popover: "auto", role: "dialog", "aria-label": "Export", class: "popover export", "data-testid": "export-menu",
  }, h("h3", {}, "Export"), this.#choices, ...this.#files, this.#progress,
  h("div", {class: "others"}, this.#code, this.#link, this.#picture));

  /** @param {import("./connection.js").Connection} connection @param {Shown} shown */
  constructor(connection, shown) {
    this.#connection = connection;
    this.#shown = shown;
  }

  /** @param {HTMLElement} button it was opened by; tells how far a file is */
  open(button) {
    if (!this.#button) this.#label = button.textContent ?? "";
    this.#button = button;
    this.#exports = this.#shown.exports();
    this.#chosen = Math.max(0, this.#exports.findIndex(({name}) => name === this.#liked));
    const [only = {label: "There is nothing to export yet."}, ...others] = this.#exports;
    this.#choices.replaceChildren(...(others.length
      ? this.#exports.map((one, at) => this.#choice(one, at)) : [h("p", {}, only.label)]));
    this.#link.hidden = this.#shown.link() === null;
    this.#picture.hidden = this.#shown.picture === null;
    this.#mark();
    openBelow(this.element, button);
  }

  /** A file that is on its way is not wanted any more. */
  end() {
    this.#loading?.abort();
  }

  /** @param {string} testId @param {string} label @param {string} hint @param {() => void} onclick */
  #entry(testId, label, hint, onclick) {
    return h("button", {type: "button", class: "choice", "data-testid": testId, onclick},
      h("b", {}, label), h("span", {}, hint));
  }

  /** @param {Export} one @param {number} at */
  #choice({name, label, title}, at) {
    return h("button", {
      type: "button", title, "data-testid": `export-${name}`, onclick: () => {
        this.#chosen = at;
        this.#liked = name;
        this.#mark();
      },
    }, label);
  }

  #mark() {
    this.#choices.querySelectorAll("button").forEach((choice, at) =>
      choice.setAttribute("aria-pressed", String(at === this.#chosen)));
    const nothing = this.#exports.length === 0;
    for (const button of this.#files) button.toggleAttribute("disabled", nothing || this.#loading !== null);
    this.#code.toggleAttribute("disabled", nothing);
    this.#progress.hidden = this.#loading === null;
  }

  /** @param {Form} form */
  async #save(form) {
    const wanted = this.#exports[this.#chosen];
    if (!wanted || this.#loading) return;
    const loading = (this.#loading = new AbortController());
    this.#tell(0, wanted.rows);
    this.#mark();
    try {
      const feed = new Feed(this.#connection.feedUrl, this.#connection.token);
      const {files, rows, note} = await download(feed, wanted, form, {
        signal: loading.signal, onRows: (count) => this.#tell(count, wanted.rows),
      });
      for (const {blob, name} of files) saveFile(blob, name);
      this.element.hidePopover();
      tellSaved(files, rows, note);
    } catch (error) {
      if (!loading.signal.aborted) toast(`No file was saved: ${reasonOf(error)}.`, {tone: "bad", shown_ms: LONG_MS});
    } finally {
      this.#loading = null;
      if (this.#button) setText(this.#button, this.#label);
      this.#mark();
    }
  }

  /** How far it is. @param {number} rows @param {number | null} all */
  #tell(rows, all) {
    if (all === null) this.#bar.removeAttribute("value");
    else this.#bar.value = Math.min(1, rows / Math.max(1, all));
    setText(this.#words, rows ? `${formatCount(rows)} rows …` : "Asking the feed …");
    if (this.#button) setText(this.#button, rows ? `${formatCount(rows)} rows …` : "Exporting …");
  }

  #copyCode() {
    return this.#copy(this.#exports[this.#chosen]?.code ?? "", "The code is copied. It runs where this project is installed.");
  }

  #copyLink() {
    return this.#copy(this.#shown.link() ?? "", "The link is copied.");
  }

  /** @param {string} text @param {string} said */
  async #copy(text, said) {
    try {
      await copyText(text, this.element);
      this.element.hidePopover();
      toast(said, {tone: "good"});
    } catch (error) {
      toast(`Nothing was copied: ${reasonOf(error)}.`, {tone: "warn", shown_ms: LONG_MS});
    }
  }

  async #savePicture() {
    this.element.hidePopover();
    try {
      const made = await this.#shown.picture?.();
      if (made) saveFile(made.blob, made.name);
    } catch (error) {
      toast(`There is no picture: ${reasonOf(error)}.`, {tone: "warn"});
    }
  }
}

/** @param {{name: string}[]} files @param {number} rows @param {string} note */
function tellSaved(files, rows, note) {
  const count = `${formatCount(rows)} ${rows === 1 ? "row" : "rows"}`;
  const saved = files.length === 1
    ? `${files[0].name} is saved: ${count}.`
    : `${count} are saved in ${files.length} files: pandas reads the folder they are in.`;
  toast(note ? `${saved} Rows are missing: ${note}.` : saved,
    {tone: note ? "warn" : "good", shown_ms: note ? LONG_MS : undefined});
}

/** @param {unknown} error */
function reasonOf(error) {
  if (error instanceof FeedError) return error.message;
  if (error instanceof TypeError) return UNREACHABLE;
  if (error instanceof DOMException && error.name === "TimeoutError") return "the feed took too long";
  return error instanceof Error ? error.message : String(error);
}
