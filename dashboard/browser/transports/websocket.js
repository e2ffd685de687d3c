/** One WebSocket to the feed. Thin: what to do about its end is the session's business. */

import {isMessage} from "quotewire/core/shapes.js";

// The page shell replaces `window.WebSocket` by a wrapper that takes any failed socket for the loss
// of the Panel server and covers the page. The feed may be away, so we use the real class.
const NativeWebSocket = /** @type {typeof WebSocket} */ (WebSocket.prototype.constructor);

/**
 * @param {import("../feed.js").Feed} feed
 * @param {import("../environment.js").LinkHandlers} handlers
 * @returns {import("../environment.js").Link}
 */
export function openSocket(feed, {onMessage, onClosed}) {
  const socket = new NativeWebSocket(`${feed.url.replace(/^http/, "ws")}/ws`);
  const ended = new AbortController();
  const {signal} = ended;
  const close = () => {
    ended.abort();
    socket.close();
  };
  socket.addEventListener("message", ({data}) => {
    const message = parse(data);
    if (message !== null) return onMessage(message, data.length);
    close();
    onClosed(null, "the feed said something that is no message");
  }, {signal});
  socket.addEventListener("close", ({code, reason, wasClean}) => {
    ended.abort();
    onClosed(wasClean ? code : null,
      reason || (wasClean ? `closed by the feed (${code})` : "the connection broke"));
  }, {signal});
  return {
    send(message) {
      if (socket.readyState === NativeWebSocket.OPEN) socket.send(JSON.stringify(message));
    },
    close,
  };
}

/** @param {string} text @returns {object | null} null where it is not what the feed says, but garbled */
function parse(text) {
  try {
    const message = JSON.parse(text);
    return isMessage(message) ? message : null;
  } catch {
    return null;
  }
}
