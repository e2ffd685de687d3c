/** The palette and the calm that the user has set, told to the stylesheets of an element's shadow root. */

import {settings} from "quotewire/settings.js";

/**
 * `data-palette` chooses the colours, `data-calm` stops what moves; both see `tokens.css`.
 *
 * @param {HTMLElement} host of the shadow root
 * @returns {() => void} ends it; once the host was on the page and has gone, it ends by itself
 */
export function followLook(host) {
  let wasThere = false;
  const end = settings.onChange(({palette, animations}) => {
    wasThere ||= host.isConnected;
    if (wasThere && !host.isConnected) return end();
    host.dataset.palette = palette;
    host.toggleAttribute("data-calm", !animations);
    return undefined;
  });
  return end;
}
