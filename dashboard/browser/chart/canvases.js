/** The canvases of figures, which stand within shadow roots of their own. */

/** @param {ParentNode} root @returns {HTMLCanvasElement[]} in the order they are painted */
export function canvasesOf(root) {
  return [...root.querySelectorAll("*")].flatMap((element) => {
    if (element instanceof HTMLCanvasElement) return [element];
    return element.shadowRoot ? canvasesOf(element.shadowRoot) : [];
  });
}
