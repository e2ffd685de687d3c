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
  popover.addEventListener("keydown", leaveAtOnce); // the same one is added once
  popover.tabIndex = -1;
  popover.focus();
  popover.addEventListener("beforetoggle", () => {
    if (popover.matches(":focus-within")) button.focus();
  }, {once: true});
}

/** A browser takes the first Escape in a search field for clearing it. @param {KeyboardEvent} event */
function leaveAtOnce(event) {
  const {currentTarget, key, target} = event;
  const isSearch = target instanceof HTMLInputElement && target.type === "search";
  if (key !== "Escape" || !isSearch || !(currentTarget instanceof HTMLElement)) return;
  event.preventDefault();
  currentTarget.hidePopover();
}
