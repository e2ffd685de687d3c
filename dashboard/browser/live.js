/** What every live element shares: the connection while it is on the page, its colours and its wording. */

import {followLook} from "quotewire/host_look.js";
import {acquire, offerRelay, release} from "quotewire/registry.js";
import {watchTheme} from "quotewire/theme.js";
import {Relay} from "quotewire/transports/relay.js";
import {onWording} from "quotewire/wording.js";

/**
 * @typedef {(connection: import("./connection.js").Connection, until: (end: () => void) => void)
 *   => HTMLElement} Setup builds the element; `until` takes what is to be called at its end
 */

/** @type {WeakMap<object, () => void>} */
const mounted = new WeakMap();

/**
 * Set up a live element. Panel may draw one again without removing it first: what the last drawing
 * began is ended then.
 *
 * @param {import("./panel.d.ts").ElementContext} context as Panel gives it to `render`
 * @param {Setup} setup
 * @param {{rewords?: boolean}} [options] `rewords`: the element itself follows another way of telling
 *   numbers and times; else it is set up anew then
 */
export function mount({model, view, el}, setup, {rewords = false} = {}) {
  mounted.get(view)?.();
  const feedUrl = model.feed_url;
  /** @type {(() => void)[]} */
  const ends = [() => release(feedUrl)];
  const end = () => ends.splice(0).forEach((call) => call());
  mounted.set(view, end);
  model.on("lifecycle:remove", end);
  const until = (/** @type {() => void} */ call) => ends.push(call);
  until(watchTheme(view, (dark) => (el.style.colorScheme = dark ? "dark" : "light")));
  until(followLook(view.el));
  const connection = acquire(feedUrl, model.token, model.can_renew);
  if (model.can_renew) until(renewBy(model, connection));
  if (model.can_relay) until(relayBy(model));
  const renewed = () => connection.setToken(model.token);
  model.on("token", renewed);
  until(() => model.off("token", renewed));
  return rewords ? setup(connection, until) : reworded(setup, connection, until);
}

/**
 * What it shows is told anew in other words; what both want is wanted all the time.
 *
 * @param {Setup} setup
 * @param {import("./connection.js").Connection} connection
 * @param {(end: () => void) => void} until
 */
function reworded(setup, connection, until) {
  /** @type {(() => void)[]} */
  let ends = [];
  const begin = () => setup(connection, (end) => ends.push(end));
  let element = begin();
  until(onWording(() => {
    const before = ends;
    ends = [];
    const fresh = begin();
    before.forEach((end) => end());
    element.replaceWith(fresh);
    element = fresh;
  }));
  until(() => ends.splice(0).forEach((end) => end()));
  return element;
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
