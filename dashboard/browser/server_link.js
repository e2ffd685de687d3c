/**
 * Whether the page's own server is there. Prices come from the feed and go on without it; what is
 * opened for the first time needs it.
 */

import {toast} from "quotewire/toasts.js";

const GONE = "The dashboard’s server is away. What is shown goes on; a page that was not open yet, and "
  + "exports of it, must wait until it is back.";

/**
 * @param {import("./panel.d.ts").View} view an element's
 * @param {(end: () => void) => void} until
 */
export function tellServer({model}, until) {
  let take = () => {};
  let isGone = false;
  let isLeft = false;
  const leave = () => (isLeft = true); // the browser ends the link itself then
  window.addEventListener("pagehide", leave);
  until(() => window.removeEventListener("pagehide", leave));
  until(() => take());
  model?.document?.on_event("connection_lost", () => {
    if (isGone || isLeft) return;
    isGone = true;
    take = toast(GONE, {tone: "warn", shown_ms: Infinity});
  });
  model?.document?.on_event("client_reconnected", () => {
    if (!isGone) return;
    isGone = false;
    take();
    toast("The dashboard’s server is back.", {tone: "good"});
  });
}
