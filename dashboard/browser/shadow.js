/** What stands over the page: in a shadow root, where neither's styles reach the other. */

import {h} from "quotewire/dom.js";
import {followLook} from "quotewire/host_look.js";
import {STYLESHEETS} from "quotewire/stylesheets.js";
import {notebookIsDark} from "quotewire/theme.js";

/**
 * A host at the end of the page. Its content is in one `div`, as that of all our elements.
 *
 * @param {string} name for tests, and for who looks into the page
 * @param {string[]} styles names of stylesheets in `styles/`
 * @param {...Node} children
 */
export function overPage(name, styles, ...children) {
  const host = h("div", {"data-quotewire": name});
  const root = host.attachShadow({mode: "open"});
  root.adoptedStyleSheets = styles.map(sheet);
  root.append(h("div", {}, ...children));
  // On a page of ours it is as the page is; a notebook tells it elsewhere.
  const dark = notebookIsDark();
  if (dark !== null) host.style.colorScheme = dark ? "dark" : "light";
  document.body.append(host);
  followLook(host);
  return host;
}

/** @param {string} name */
function sheet(name) {
  const made = new CSSStyleSheet();
  made.replaceSync(STYLESHEETS[name]);
  return made;
}
