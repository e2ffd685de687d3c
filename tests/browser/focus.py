"""What the Tab key reaches on a page, shadow roots and all."""

from playwright.sync_api import Page

MOST = 400
"""Presses of Tab after which there is no end."""

# For a page to tell: what Tab must reach (`wanted`), what keys of a group reach (`grouped`, with
# those of the group that Tab must reach), and where the focus is (`now`).
FOCUS = """
() => {
  const USABLE = "a[href], button, input, select, textarea, [tabindex], [role=slider]";
  const GROUPS = ["grid", "toolbar", "group", "radiogroup", "listbox", "tablist", "dialog"];
  const all = (root) => [...root.querySelectorAll("*")]
    .flatMap((one) => [one, ...(one.shadowRoot ? all(one.shadowRoot) : [])]);
  const deepest = ({activeElement: active}) =>
    (active?.shadowRoot?.activeElement ? deepest(active.shadowRoot) : active);
  const above = (one) => one.parentElement ?? one.getRootNode().host ?? null;
  const isSeen = (one) => one.checkVisibility({visibilityProperty: true})
    && one.getClientRects().length > 0 && !one.closest("[inert], [aria-hidden=true]");
  const usable = (within) => all(within).filter((one) =>
    one.matches(USABLE) && !one.disabled && isSeen(one));
  const names = new Map();
  const nameOf = (one) => {
    const {dataset, ariaLabel, title, textContent, outerHTML} = one;
    const told = dataset.testid || ariaLabel || title || textContent.trim() || outerHTML;
    if (!names.has(one)) names.set(one, `${names.size} ${told.slice(0, 60)}`);
    return names.get(one);
  };
  const groupOf = (one) => {
    let group = above(one);
    while (group && !GROUPS.includes(group.getAttribute("role"))) group = above(group);
    return group ? [group, ...usable(group)].filter(({tabIndex}) => tabIndex >= 0) : [];
  };
  window.keyboard = {
    wanted: (within = document) =>
      usable(within).filter(({tabIndex}) => tabIndex >= 0).map(nameOf),
    grouped: () => usable(document).filter(({tabIndex}) => tabIndex < 0)
      .map((one) => [nameOf(one), groupOf(one).map(nameOf)]),
    now: () => {
      const active = deepest(document);
      if (!active || active === document.body) return null;
      const {outlineStyle, outlineWidth} = getComputedStyle(active);
      return {name: nameOf(active), marked: outlineStyle !== "none" && outlineWidth !== "0px"};
    },
  };
}
"""


def tabbed(page: Page) -> dict[str, bool]:
    """Go through a page by Tab; return what had the focus, and whether one could see it."""
    reached: dict[str, bool] = {}
    for _ in range(MOST):
        page.keyboard.press("Tab")
        now = page.evaluate("() => keyboard.now()")
        if now is None or (reached and now["name"] == next(iter(reached))):
            if reached:
                return reached
            continue
        reached[now["name"]] = now["marked"]
    raise AssertionError(f"no end after {MOST} presses of Tab")
