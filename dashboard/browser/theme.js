/**
 * Whether the page is dark, for what CSS cannot reach: a chart's canvas.
 *
 * The page shell keeps it as `dark_theme` on its model, which our elements sit inside of. Without a
 * shell, as in a notebook, the browser's own preference counts.
 */

/**
 * @param {import("./panel.d.ts").View} view the element's view
 * @param {(dark: boolean) => void} listener called at once, and on each change
 * @returns {() => void} ends it
 */
export function watchTheme(view, listener) {
  const property = themeProperty(view);
  if (property) {
    const changed = () => listener(property.get_value());
    property.change.connect(changed);
    changed();
    return () => property.change.disconnect(changed);
  }
  const preference = window.matchMedia("(prefers-color-scheme: dark)");
  const changed = () => listener(preference.matches);
  preference.addEventListener("change", changed);
  changed();
  return () => preference.removeEventListener("change", changed);
}

/** @param {import("./panel.d.ts").View} view */
function themeProperty(view) {
  for (let above = view.parent; above; above = above.parent) {
    const property = above.model?.data?.properties?.dark_theme;
    if (property) return property;
  }
  return null;
}
