/** What the server must know before it draws a page's first picture: the theme, and the usual page. */

const KEPT_S = 31_536_000; // a year

/** @param {"theme" | "page"} name @param {string} value letters and dots */
export function keepForServer(name, value) {
  document.cookie = `quotewire_${name}=${value}; path=/; max-age=${KEPT_S}; SameSite=Lax`;
}
