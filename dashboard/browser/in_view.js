/** Whether something can be seen. */

/**
 * At least a part of it, within what it is scrolled in and within the window.
 *
 * @param {Element | undefined} element
 * @param {Element} scroller
 */
export function isInView(element, scroller) {
  if (!element) return false;
  const {top, bottom, height} = element.getBoundingClientRect();
  const around = scroller.getBoundingClientRect();
  return height > 0 && bottom > Math.max(0, around.top) && top < Math.min(window.innerHeight, around.bottom);
}
