/**
 * What fingers do on the figures: to the sides they move the bars, up and down the page.
 *
 * Bokeh keeps all of it for itself where a figure has tools to pan and to zoom.
 */

export class Touch {
  /** @type {Set<HTMLElement>} where it is still as Bokeh has it: its parts come when they like */
  #panes;

  /** @param {HTMLElement[]} panes */
  constructor(panes) {
    this.#panes = new Set(panes);
  }

  /** @param {HTMLElement} pane one more */
  add(pane) {
    this.#panes.add(pane);
  }

  /** Let the page scroll from those that are there. */
  scroll() {
    for (const pane of this.#panes) {
      const found = touchedIn(pane);
      for (const element of found) element.style.setProperty("touch-action", "pan-y", "important");
      if (found.length) this.#panes.delete(pane);
    }
  }
}

/** @param {Element | ShadowRoot} root @returns {HTMLElement[]} what takes the events of a figure */
function touchedIn(root) {
  return [...root.querySelectorAll("*")].flatMap((element) => [
    ...(element.matches(".bk-events") ? [/** @type {HTMLElement} */ (element)] : []),
    ...(element.shadowRoot ? touchedIn(element.shadowRoot) : []),
  ]);
}
