/** Colours of the stylesheet, for what is drawn on a canvas, which knows no `var(--up)`. */

/** How many colours lines have. */
export const SERIES = 8;

/**
 * @typedef {object} Colours each as `rgb(…)`
 * @property {string} up
 * @property {string} down
 * @property {string} card
 * @property {string} text
 * @property {string} muted
 * @property {string} line
 * @property {string} accent
 * @property {string[]} series
 */

/**
 * @param {HTMLElement} element within the element whose tokens they are
 * @returns {Colours}
 */
export function readColours(element) {
  const probe = document.createElement("i");
  probe.hidden = true;
  element.append(probe);
  const read = (/** @type {string} */ name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const [up, down, card, text, muted, line, accent] =
    ["up", "down", "card", "text", "muted", "line", "accent"].map(read);
  const series = Array.from({length: SERIES}, (_, i) => read(`series-${i + 1}`));
  probe.remove();
  return {up, down, card, text, muted, line, accent, series};
}
