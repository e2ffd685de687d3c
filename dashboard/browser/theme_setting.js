/**
 * The theme that the user chose, kept in step with the page shell's own toggle.
 *
 * The shell goes by `data-theme` of the document, which `page.html` sets before anything is drawn. A
 * cookie tells it there, and the server, which draws the page's first picture.
 */

import {keepForServer} from "quotewire/server_cookies.js";
import {settings} from "quotewire/settings.js";
import {watchTheme} from "quotewire/theme.js";

/** @typedef {import("./settings.js").Values["theme"]} Theme */

const USUAL = "system";

/**
 * @param {import("./panel.d.ts").View} view an element's
 * @param {(end: () => void) => void} until
 */
export function followTheme(view, until) {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const wanted = () => nameOf(chosen() === USUAL ? system.matches : chosen() === "dark");
  const apply = () => {
    const theme = wanted();
    document.documentElement.dataset.theme = theme;
    keepForServer("theme", `${chosen()}.${theme}`);
  };
  system.addEventListener("change", apply);
  until(() => system.removeEventListener("change", apply));
  until(settings.onChange(apply));
  /** @type {Theme | null} as the shell began, which may be before it heard of ours */
  let before = null;
  until(watchTheme(view, (dark) => {
    const theme = nameOf(dark);
    const isToggled = before !== null && theme !== before && theme !== wanted();
    before = theme;
    if (isToggled) settings.choose({theme});
  }));
}

/** @returns {Theme} */
function chosen() {
  return settings.values.theme;
}

/** @param {boolean} dark @returns {"dark" | "light"} */
function nameOf(dark) {
  return dark ? "dark" : "light";
}
