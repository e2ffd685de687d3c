/** One WebSocket to the feed. Thin: what to do about its end is the machine's business. */

// The page shell replaces `window.WebSocket` by a wrapper that takes any failed socket for the loss
// of the Panel server and covers the page. The feed may be away, so we use the real class.
const NativeWebSocket = WebSocket.prototype.constructor;

/** @param {string} feedUrl http(s) address of the feed */
export function socketUrl(feedUrl) {
  return `${feedUrl.replace(/^http/, "ws")}/ws`;
}

/**
 * @param {string} url
 * @param {{onMessage: (text: string) => void, onClosed: (reason: string, code: number) => void}}
 *   handlers neither is called after `close`
 */
export function openSocket(url, {onMessage, onClosed}) {
  const socket = new NativeWebSocket(url);
  const ended = new AbortController();
  const {signal} = ended;
  socket.addEventListener("message", ({data}) => onMessage(data), {signal});
  socket.addEventListener("close", ({code, reason, wasClean}) => {
    ended.abort();
    onClosed(reason || (wasClean ? `closed by the feed (${code})` : "the connection broke"), code);
  }, {signal});
  return {
    send(text) {
      if (socket.readyState === NativeWebSocket.OPEN) socket.send(text);
    },
    close() {
      ended.abort();
      socket.close();
    },
  };
}
