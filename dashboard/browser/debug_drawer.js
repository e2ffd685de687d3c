/** The debug panel in a drawer over any page; opened by the event `quotewire:debug`, and by a key. */

import {address} from "quotewire/address.js";
import {DebugPanel} from "quotewire/debug/panel.js";
import {watchServer} from "quotewire/debug/server_watch.js";
import {h} from "quotewire/dom.js";
import {Drawer} from "quotewire/drawer.js";
import {keys} from "quotewire/keys.js";
import {mount} from "quotewire/live.js";

const OPEN = "quotewire:debug";

/** The element is drawn anew when its figures come: it stays open then. */
let isOpen = false;

/** @param {import("./panel.d.ts").ElementContext} context */
export function render(context) {
  const {model, view} = context;
  model.get_child("figures"); // what is not asked for now is not drawn when it comes
  return mount(context, (connection, until) => {
    watchServer(view); // from the beginning, so that what befell before is known when it is opened
    const place = h("div", {class: "scroll"});
    /** @type {DebugPanel | null} */
    let panel = null;
    const drawer = new Drawer({title: "Debug panel", name: "debug", onClose: () => {
      isOpen = false;
      panel?.stop();
    }}, place);
    const fill = () => {
      if (!panel) place.append((panel = new DebugPanel(context, connection, until)).element);
      return panel;
    };
    const open = () => {
      if (address.get("page") === "debug") return;
      isOpen = true;
      drawer.open();
      fill().start();
      if (!model.figures.length) model.send_msg({do: "figures"});
    };
    if (isOpen) {
      fill(); // figures that are not in their place when this returns would stay blank
      requestAnimationFrame(() => drawer.element.isConnected && open());
    }
    window.addEventListener(OPEN, open);
    until(() => window.removeEventListener(OPEN, open));
    until(keys.on("d", "Debug panel", open));
    return drawer.element;
  }, {rewords: true});
}
