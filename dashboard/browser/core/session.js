/**
 * The whole client but its I/O: a connection, what is wanted of it, and what came. Pure.
 *
 * What happens goes in by a method, with the time (UTC epoch milliseconds); what is to be done comes
 * out, as a list of actions. It never waits: `deadline()` says when `tick` is due. A shell opens
 * links, sends requests and holds one timer. Twin of `dashboard/client/core/session.py`.
 *
 * @typedef {"auto" | "websocket" | "polling"} Mode
 * @typedef {"websocket" | "polling" | "relay"} Way `websocket` and `relay` are links
 * @typedef {"connecting" | "live" | "polling" | "stale" | "offline" | "closed"} State
 * @typedef {"quotes" | "bars" | "trades"} Channel
 *
 * @typedef {object} Settings
 * @property {Mode} [mode] auto
 * @property {number} [poll_ms] how often it polls, 1000
 * @property {number} [max_hz] messages a second at most, 0 for the server's default
 * @property {boolean} [relay] whether there is a relay
 * @property {boolean} [renewable] whether the shell can get another token when `renew` asks for one
 *
 * @typedef {object} Want given back as it is to `unwant`
 * @property {Channel} channel
 * @property {string[]} symbols
 * @property {string} [interval] for bars
 * @property {string[]} [indicators] to be computed at each bar, such as `SMA(20)`
 * @property {number} [max_hz] 0 for what the settings say; of several wants the highest counts
 * @property {number} [history] bars to be loaded before the live ones; of several the most counts
 *
 * To do:
 * @typedef {{do: "open", way: Way}} Open what the link says goes to `received`, its end to `closed`
 * @typedef {{do: "close", way: Way}} Close nothing of it is wanted any more, not even its end
 * @typedef {{do: "send", way: Way, message: object}} Send
 * @typedef {{do: "poll", id: number, symbols: string[], since: string | null}} Poll ask `/api/status`
 *   and `/api/quotes` (where there are symbols), answer by `polled` or `pollFailed`
 * @typedef {{do: "load", way: "polling" | "relay", id: number, channel: "bars" | "trades",
 *   symbol: string, limit: number, interval: string | null, start_ms: number | null,
 *   end_ms: number | null, indicators: string[]}} Load ask `/api/bars` or `/api/trades`, answer by
 *   `loaded` or `loadFailed`
 * @typedef {{do: "renew"}} Renew get another token, give it to `token`
 *
 * To tell:
 * @typedef {{do: "state", state: State, code: string, reason: string, way: Way,
 *   at_ms: number}} StateChanged
 * @typedef {{do: "quotes", quotes: object[], pushed: boolean}} QuotesChanged each symbol once;
 *   `pushed`: one change after another, so that latency can be measured
 * @typedef {{do: "bars", symbol: string, interval: string, reset: boolean, since_ms: number,
 *   finals: object[]}} BarsChanged `finals`: those that became final, in order
 * @typedef {{do: "trades", trades: object[]}} TradesChanged each once, a symbol's in order
 * @typedef {{do: "lost", channel: Channel, symbol: string, interval: string | null, code: string,
 *   reason: string}} Lost a gap that cannot be mended; told before the data after it
 * @typedef {{do: "failed", channel: Channel, symbol: string, interval: string | null, code: string,
 *   reason: string}} Failed told once for as long as it is so
 * @typedef {{do: "status", sources: Map<string, object>}} StatusChanged by name
 *
 * @typedef {Open | Close | Send | Poll | Load | Renew | StateChanged | QuotesChanged | BarsChanged
 *   | TradesChanged | Lost | Failed | StatusChanged} Action
 *
 * Methods of `Session`, in the order of session.py, where they are described. All but the last four
 * return `Action[]`:
 *
 * constructor(settings, random); settings; state (StateChanged, as told last)
 * start(now_ms), stop(now_ms), tick(now_ms), deadline() → number | null
 * configure(now_ms, {mode, poll_ms, max_hz, relay}), online(now_ms), visible(now_ms), hidden(now_ms)
 * token(now_ms, token), want(now_ms, want), unwant(now_ms, want)
 * received(now_ms, way, message, size_bytes) with a message as JSON.parse gives it
 * closed(now_ms, way, number, reason)
 * polled(now_ms, id, quotes, status), pollFailed(now_ms, id, code, reason) with bodies as parsed
 * loaded(now_ms, id, series), loadFailed(now_ms, id, code, reason)
 * painted(now_ms), quote(symbol), bars(symbol, interval)
 */

export {};
