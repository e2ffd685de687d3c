/**
 * Opening a popover where its button is. It is in the browser's top layer, so nothing clips it. The
 * button has the focus again when it closes, unless someone has put it elsewhere by then.
 */

const GAP = 6;
const MARGIN = 8;

/**
 * @param {HTMLElement} popover
 * @param {HTMLElement} button
 */
export function openBelow(popover, button) {
  popover.showPopover();
  const {right, bottom} = button.getBoundingClientRect();
  const left = Math.max(MARGIN, right - popover.offsetWidth);
  popover.style.left = `${Math.min(left, window.innerWidth - popover.offsetWidth - MARGIN)}px`;
  popover.style.top = `${bottom + GAP}px`;
  popover.addEventListener("beforetoggle", () => {
    if (popover.matches(":focus-within")) button.focus();
  }, {once: true});
}
