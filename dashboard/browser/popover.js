/**
 * Opening a popover where its button is. It is in the browser's top layer, so nothing clips it. It
 * takes the focus, and the button has it again when it closes, unless it is elsewhere by then.
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
  popover.tabIndex = -1;
  popover.focus();
  popover.addEventListener("beforetoggle", () => {
    if (popover.matches(":focus-within")) button.focus();
  }, {once: true});
}
