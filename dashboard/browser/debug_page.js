/** The debug panel as a page of its own. */

import {DebugPanel} from "quotewire/debug/panel.js";
import {probeList} from "quotewire/debug/probe.js";
import {mount} from "quotewire/live.js";

/** @param {import("./panel.d.ts").ElementContext} context */
export function render(context) {
  return mount(context, (connection, until) => {
    const panel = new DebugPanel(context, connection, until, probeList(connection, until));
    panel.start();
    return panel.element;
  }, {rewords: true});
}
