/**
 * Whether the page is dark, for what CSS cannot reach: a chart's canvas.
 *
 * The page shell keeps it as `dark_theme` on its model, which our elements sit inside of. A notebook
 * tells it by an attribute of the body. Without either the browser's own preference counts.
 */

/** JupyterLab's, and VS Code's. */
const NOTEBOOK = ["data-jp-theme-light", "data-vscode-theme-kind"];

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
  const changed = () => listener(notebookIsDark() ?? preference.matches);
  const notebook = new MutationObserver(changed);
  notebook.observe(document.body, {attributeFilter: NOTEBOOK});
  preference.addEventListener("change", changed);
  changed();
  return () => {
    notebook.disconnect();
    preference.removeEventListener("change", changed);
  };
}

/** @returns {boolean | null} null where no notebook tells */
export function notebookIsDark() {
  const {jpThemeLight, vscodeThemeKind} = document.body.dataset;
  if (jpThemeLight !== undefined) return jpThemeLight === "false";
  if (vscodeThemeKind === undefined) return null;
  return !vscodeThemeKind.endsWith("light");
}

/** @param {import("./panel.d.ts").View} view */
function themeProperty(view) {
  for (let above = view.parent; above; above = above.parent) {
    const property = above.model?.data?.properties?.dark_theme;
    if (property) return property;
  }
  return null;
}
