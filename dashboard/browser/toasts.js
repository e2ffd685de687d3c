/** Short messages over the page, that go by themselves. */

import {h} from "quotewire/dom.js";

const SHOWN_MS = 6000;

/** @typedef {"info" | "good" | "warn" | "bad"} Tone */

/**
 * @param {string} text for a person
 * @param {object} [options]
 * @param {Tone} [options.tone]
 * @param {number} [options.shown_ms]
 * @returns {() => void} takes it away
 */
export function toast(text, {tone = "info", shown_ms = SHOWN_MS} = {}) {
  const element = h("div", {role: tone === "bad" ? "alert" : "status", "data-tone": tone}, text);
  document.body.append(element);
  const end = () => element.remove();
  setTimeout(end, shown_ms);
  return end;
}
