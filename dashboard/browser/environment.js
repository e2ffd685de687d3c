/**
 * All that a connection needs of the world: a clock, timers, frames, whether the page is seen, and
 * the ways to the feed. A test gives another one.
 *
 * One way is no part of it, for not every page has it: the relay through the page's own server. An
 * element that can be one offers it by `offerRelay` of `registry.js`, as a `Transport` too.
 *
 * @typedef {import("./feed.js").Feed} Feed
 *
 * @typedef {object} LinkHandlers neither is called after `close`
 * @property {(message: any, bytes: number) => void} onMessage one message of the feed, parsed
 * @property {(number: number | null, reason: string) => void} onClosed the link has ended, by a close
 *   code of the feed or, where it has none, of itself; called once
 *
 * @typedef {{send: (message: object) => void, close: () => void}} Link
 *
 * @typedef {object} Transport a way to the feed: by itself, or through the page's own server
 * @property {(handlers: LinkHandlers) => Link} open returns at once; `onClosed` tells of a failure
 * @property {(path: string, query?: Record<string, unknown>) => Promise<any>} get the body of
 *   `/api/<path>`; rejects with `FeedError` where the feed answered with an error, else with another
 * @property {(method: Method, path: string, change: Change) => Promise<any>} change something that
 *   the feed keeps: the answer's body, null where it has none; rejects as `get`
 *
 * @typedef {"POST" | "PUT" | "DELETE"} Method
 * @typedef {{query?: Record<string, unknown>, body?: object}} Change
 *
 * @typedef {object} Environment
 * @property {() => number} now UTC epoch milliseconds; never runs back
 * @property {() => number} random uniform in [0, 1)
 * @property {(call: () => void, wait_ms: number) => number} setTimeout
 * @property {(timer: number) => void} clearTimeout
 * @property {(call: () => void) => number} requestFrame
 * @property {(frame: number) => void} cancelFrame
 * @property {() => boolean} isHidden
 * @property {(listeners: {onSeen: () => void, onOnline: () => void}) => () => void} watchPage
 *   `onSeen`: the page was hidden or shown; `onOnline`: the network is back. Returns what ends it.
 * @property {(feed: Feed) => Transport} direct from the browser to the feed
 */

import {forwardClock} from "quotewire/clock.js";
import {change, get} from "quotewire/transports/polling.js";
import {openSocket} from "quotewire/transports/websocket.js";

/** @type {Environment} */
export const browser = Object.freeze({
  now: forwardClock(() => Date.now(), () => performance.now()),
  random: () => Math.random(),
  setTimeout: (call, wait_ms) => setTimeout(call, wait_ms),
  clearTimeout: (timer) => clearTimeout(timer),
  requestFrame: (call) => requestAnimationFrame(call),
  cancelFrame: (frame) => cancelAnimationFrame(frame),
  isHidden: () => document.hidden,
  watchPage({onSeen, onOnline}) {
    const ended = new AbortController();
    document.addEventListener("visibilitychange", onSeen, {signal: ended.signal});
    window.addEventListener("online", onOnline, {signal: ended.signal});
    return () => ended.abort();
  },
  direct: (feed) => ({
    open: (handlers) => openSocket(feed, handlers),
    get: (path, query) => get(feed, path, query),
    change: (method, path, told) => change(feed, method, path, told),
  }),
});
