/** Whether the link to the page's own server is there: since when, and how often it was lost. */

/** @typedef {{isThere: boolean, since_ms: number, losses: number}} ServerState */

/** @type {WeakMap<object, ServerState>} */
const watched = new WeakMap();

/**
 * From the first call on it is watched, for as long as the page lives.
 *
 * @param {import("../panel.d.ts").View} view of an element on the page
 * @returns {ServerState} which changes
 */
export function watchServer(view) {
  const page = view.model?.document;
  const known = page && watched.get(page);
  if (known) return known;
  /** @type {ServerState} */
  const state = {isThere: true, since_ms: Date.now(), losses: 0};
  if (!page) return state;
  watched.set(page, state);
  page.on_event("connection_lost", () => {
    if (!state.isThere) return;
    Object.assign(state, {isThere: false, since_ms: Date.now(), losses: state.losses + 1});
  });
  page.on_event("client_reconnected", () => Object.assign(state, {isThere: true, since_ms: Date.now()}));
  return state;
}
