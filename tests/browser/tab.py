"""One page that several tests use in turn: to load it takes longer than most of them."""

from playwright.sync_api import Browser, Page, expect

SIZE = {"width": 1280, "height": 720}
PATIENCE_MS = 30_000

# All that a test may have left: choices, what is kept, open dialogs, toasts, a paused screen.
TIDY = """
async () => {
  const {settings} = await import("quotewire/settings.js");
  const {pause} = await import("quotewire/pause.js");
  const all = (root) => [...root.querySelectorAll("*")].flatMap((element) =>
    [element, ...(element.shadowRoot ? all(element.shadowRoot) : [])]);
  const elements = all(document);
  for (const element of elements) {
    if (element instanceof HTMLDialogElement && element.open) element.close();
    if (element.dataset?.testid === "toast-dismiss") element.click();
  }
  if (pause.isPaused) pause.toggle();
  settings.reset();
  localStorage.clear();
}
"""
GO = """
(query) => {
  history.pushState(null, "", location.pathname + query);
  dispatchEvent(new PopStateEvent("popstate"));
}
"""


class Tab:
    """A page of a browser of its own, which goes from address to address without being loaded anew.

    Attributes:
        errors: Those that the page had, not caught.
    """

    def __init__(self, browser: Browser, url: str) -> None:
        self.errors: list[str] = []
        self._browser = browser
        self._url = url
        self._page: Page | None = None

    def open(self, query: str) -> Page:
        """Open an address in a browser of its own: nothing of another's is left."""
        self.close()
        self._page = self._browser.new_context(viewport=SIZE).new_page()  # type: ignore[arg-type]
        self._page.on("pageerror", lambda error: self.errors.append(str(error)))
        self._page.goto(self._url + query)
        return self._page

    def visit(self, query: str) -> Page:
        """Show an address as if its page were opened, with all as usual."""
        if self._page is None or not self._is_live(self._page):
            return self.open(query)
        page = self._page
        page.unroute_all()
        page.evaluate(TIDY)
        page.emulate_media(color_scheme="light", reduced_motion="no-preference")
        page.set_viewport_size(SIZE)  # type: ignore[arg-type]
        page.mouse.move(0, 0)
        # What another page shows is drawn anew, so that nothing is taken for what is shown next.
        name = "symbol" if "page=market" in query else "market"
        page.evaluate(GO, f"?page={name}")
        expect(page.locator(f".page-{name}")).to_be_visible(timeout=PATIENCE_MS)
        page.evaluate(GO, query)
        expect(page.locator(f".page-{name}")).to_have_count(0, timeout=PATIENCE_MS)
        return page

    def close(self) -> None:
        """Close it."""
        if self._page is not None:
            self._page.context.close()
            self._page = None

    @staticmethod
    def _is_live(page: Page) -> bool:
        told = "() => window.__quotewire?.connection?.state === 'live'"
        return not page.is_closed() and bool(page.evaluate(told))
