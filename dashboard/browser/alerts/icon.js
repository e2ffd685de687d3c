/** The mark of alerts. */

import {svg} from "quotewire/dom.js";

export function bellIcon() {
  return svg("svg", {viewBox: "0 0 16 16", width: "16", height: "16", "aria-hidden": "true"},
    svg("path", {
      d: "M8 1.2a1 1 0 0 1 1 1v.4a4 4 0 0 1 3 3.9v2.9l1.3 2.1c.3.4 0 .9-.5.9H3.2c-.5 0-.8-.5-.5-.9L4 9.4V6.5"
        + "a4 4 0 0 1 3-3.9v-.4a1 1 0 0 1 1-1zM6.3 13.3h3.4a1.7 1.7 0 0 1-3.4 0z",
    }));
}
