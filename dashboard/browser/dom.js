/** Building DOM. Text is always text: nothing here can turn a symbol's name into markup. */

/**
 * @param {string} tag
 * @param {Record<string, string | boolean | ((event: any) => void)>} [attributes] `onclick` and the like
 *   take a function; true gives an empty attribute, false none
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/**
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {...Node} children
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * Set text only where it differs, so that an idle page stays idle.
 *
 * The text that is there is changed, not replaced: the browser would take the new one for something
 * that was never laid out.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  const {firstChild: there} = element;
  if (there instanceof Text && there === element.lastChild) {
    if (there.data !== text) there.data = text;
  } else if (element.textContent !== text) {
    element.textContent = text;
  }
}
