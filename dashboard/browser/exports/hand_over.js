/** Giving the user something to keep: as a file, or in the clipboard. */

import {h} from "quotewire/dom.js";

const KEPT_MS = 10_000;

/** Let the browser save it. @param {Blob} blob @param {string} name */
export function saveFile(blob, name) {
  const address = URL.createObjectURL(blob);
  h("a", {href: address, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(address), KEPT_MS);
}

/**
 * @param {string} text
 * @param {HTMLElement} near what is open: in the page's top layer only that can have the focus
 */
export async function copyText(text, near) {
  // Without https only a page of this machine has a clipboard.
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = /** @type {HTMLTextAreaElement} */ (h("textarea", {"aria-hidden": "true"}));
  area.value = text;
  near.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("this browser does not let the page copy");
  return undefined;
}
