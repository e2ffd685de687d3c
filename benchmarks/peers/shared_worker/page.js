/**
 * In place of the page's sockets to the feed: a port of one worker that has the only one.
 *
 * Run in each page before anything else. A prototype for `benchmarks/tabs.py`: no token, no errors.
 */
{
  const Direct = window.WebSocket;
  const WORKER = "/shared_worker/worker.js";

  class Shared extends EventTarget {
    static OPEN = Direct.OPEN;
    readyState = Direct.CONNECTING;
    #port;

    constructor(url, protocols) {
      super();
      // Panel has a socket of its own.
      if (new URL(url).pathname !== "/ws") return new Direct(url, protocols);
      this.#port = new SharedWorker(`${WORKER}?${encodeURIComponent(url)}`).port;
      this.#port.onmessage = ({data}) => {
        this.readyState = Direct.OPEN;
        this.dispatchEvent(new MessageEvent("message", {data}));
      };
      addEventListener("pagehide", () => this.close());
    }

    send(text) {
      this.#port.postMessage(text);
    }

    close() {
      this.readyState = Direct.CLOSED;
      this.#port.postMessage(null);
    }
  }

  window.WebSocket = Shared;
}
