/** Whether a table has room in its place: where it has not, its stylesheet leaves something out. */

/**
 * `data-tight` is on the place while all of the table would not fit.
 *
 * @param {HTMLElement} place that scrolls
 * @param {HTMLElement} table in it
 * @param {(end: () => void) => void} until
 */
export function followRoom(place, table, until) {
  let width = 0;
  const sizes = new ResizeObserver(() => {
    // Only another place can have room again: what is left out is not there to be measured.
    if (place.clientWidth !== width) place.removeAttribute("data-tight");
    width = place.clientWidth;
    if (place.scrollWidth > width) place.setAttribute("data-tight", "");
  });
  sizes.observe(place);
  sizes.observe(table);
  until(() => sizes.disconnect());
}
