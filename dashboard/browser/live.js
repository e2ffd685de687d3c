/** What every live element shares: the connection while it is on the page, and its colours. */

import {acquire, offerRelay, release} from "quotewire/registry.js";
import {watchTheme} from "quotewire/theme.js";
import {Relay} from "quotewire/transports/relay.js";

/** @type {WeakMap<object, () => void>} */
const mounted = new WeakMap();

/**
 * Set up a live element. Panel may draw one again without removing it first: what the last drawing
 * began is ended then.
 *
 * @param {import("./panel.d.ts").ElementContext} context as Panel gives it to `render`
 * @param {(connection: import("./connection.js").Connection, until: (end: () => void) => void)
 *   => HTMLElement} setup builds the element; `until` takes what is to be called at its end
 */
export function mount({model, view, el}, setup) {
  mounted.get(view)?.();
  const feedUrl = model.feed_url;
  /** @type {(() => void)[]} */
  const ends = [() => release(feedUrl)];
  const end = () => ends.splice(0).forEach((call) => call());
  mounted.set(view, end);
  model.on("lifecycle:remove", end);
  const until = (/** @type {() => void} */ call) => ends.push(call);
  until(watchTheme(view, (dark) => (el.style.colorScheme = dark ? "dark" : "light")));
  const connection = acquire(feedUrl, model.token, model.can_renew);
  if (model.can_renew) until(renewBy(model, connection));
  if (model.can_relay) until(relayBy(model));
  const renewed = () => connection.setToken(model.token);
  model.on("token", renewed);
  until(() => model.off("token", renewed));
  return setup(connection, until);
}

/** @param {import("./panel.d.ts").ElementModel} model @returns {() => void} ends it */
function relayBy(model) {
  const relay = new Relay(model);
  const withdraw = offerRelay(model.feed_url, relay);
  return () => {
    withdraw();
    relay.withdraw();
  };
}

/**
 * @param {import("./panel.d.ts").ElementModel} model
 * @param {import("./connection.js").Connection} connection
 * @returns {() => void} ends it
 */
function renewBy(model, connection) {
  const take = (/** @type {{token?: string}} */ {token}) => token && connection.renewed(token);
  model.on("msg:custom", take);
  const stop = connection.onRenew(() => model.send_msg({do: "renew"}));
  return () => {
    stop();
    model.off("msg:custom", take);
  };
}
