/**
 * Whether the page's own server is there. Prices come from the feed and go on without it; another page
 * must be built by it. One that was started anew knows nothing of this page: it is loaded afresh then,
 * and its address and settings bring back all that was shown.
 */

import {once} from "quotewire/listeners.js";
import {LASTS_MS} from "quotewire/outage.js";
import {toast} from "quotewire/toasts.js";

/** For Bokeh to find the server again, and the server to tell the whole page once more. */
const PATIENCE_MS = 60_000;
const TRY_MS = 5000;
const GONE = "The dashboard’s server is away. Prices go on; other pages open when it is back.";
const BACK = "The dashboard’s server is back.";

/** @typedef {import("./panel.d.ts").ElementModel} ElementModel */

class ServerLink {
  /** @type {ElementModel} the newest: an element is drawn anew when the link is back */
  #model;
  #session;
  #take = () => {};
  #isGone = false;
  #isLeft = false;
  #tries = 0;
  #isAsked = false;

  /** @param {ElementModel} model of an element that tells its session @param {import("./panel.d.ts").Doc} page */
  constructor(model, page) {
    this.#model = model;
    this.#session = model.session;
    window.addEventListener("pagehide", () => (this.#isLeft = true)); // the browser ends the link
    page.on_event("connection_lost", () => this.#lost());
    page.on_event("client_reconnected", () => this.#back());
  }

  /** @param {ElementModel} model @returns {() => void} ends it */
  use(model) {
    this.#model = model;
    if (model.session !== this.#session) window.location.reload();
    else if (this.#isAsked) this.#ask();
    const heard = (/** @type {{session?: string}} */ {session}) => session && this.#told(session);
    model.on("msg:custom", heard);
    return once(() => model.off("msg:custom", heard));
  }

  #lost() {
    if (this.#isGone || this.#isLeft) return;
    this.#isGone = true;
    const timer = setTimeout(() => {
      const take = toast(GONE, {tone: "warn", shown_ms: Infinity});
      this.#take = () => {
        take();
        toast(BACK, {tone: "good"});
      };
    }, LASTS_MS);
    this.#take = () => clearTimeout(timer);
    this.#tries = setTimeout(() => this.#lookOut(), PATIENCE_MS);
  }

  /** Bokeh tries a few times only. By now the server has forgotten the page anyway. */
  async #lookOut() {
    if (await isThere()) window.location.reload();
    else this.#tries = setTimeout(() => this.#lookOut(), TRY_MS);
  }

  #back() {
    this.#isAsked = true;
    this.#ask();
  }

  /** Also when the element was drawn anew: the one before may not be heard any more. */
  #ask() {
    this.#model.send_msg({do: "session"});
  }

  /** @param {string} session that the server has for this page */
  #told(session) {
    if (!this.#isAsked) return;
    if (session !== this.#session) window.location.reload();
    clearTimeout(this.#tries);
    this.#isGone = this.#isAsked = false;
    this.#take();
  }
}

/** Whether the page's server answers. */
export async function isThere() {
  try {
    return (await fetch(window.location.href, {method: "HEAD", cache: "no-store"})).status < 500;
  } catch {
    return false; // nobody answers
  }
}

/** @type {ServerLink | null} */
let link = null;

/**
 * @param {import("./panel.d.ts").ElementContext} context of an element that tells its session
 * @param {(end: () => void) => void} until
 */
export function tellServer({model, view}, until) {
  const page = view.model?.document;
  if (!page) return;
  link ??= new ServerLink(model, page);
  until(link.use(model));
}
