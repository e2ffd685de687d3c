/**
 * The connection's state machine: which way data comes, and what is tried when none does. Pure.
 *
 * What happens goes in by a method, with the time in milliseconds; what is to be done comes out.
 * Links (the WebSocket, the relay) and polls each have a phase of their own; the state is what they
 * make of the whole. Twin of `dashboard/client/core/machine.py`.
 *
 * @typedef {import("./session.js").Mode} Mode
 * @typedef {import("./session.js").State} State
 * @typedef {import("./session.js").Way} Way
 * @typedef {"websocket" | "relay"} LinkWay
 *
 * @typedef {{do: "open", way: LinkWay} | {do: "close", way: LinkWay} | {do: "subscribe", way: LinkWay}
 *   | {do: "unsubscribe", way: LinkWay} | {do: "poll"} | import("./session.js").StateChanged} Action
 */

import {LIMITS, backoff} from "quotewire/core/limits.js";
import {Link, Polls} from "quotewire/core/links.js";

/**
 * Close codes by number, see `feed_server/protocol/codes.py`; after `final` ones nobody returns.
 *
 * @type {Map<number, {name: string, final: boolean, renewed?: boolean}>}
 */
const CLOSES = new Map([
  [1001, {name: "going_away", final: false}],
  [1009, {name: "too_big", final: true}],
  [4001, {name: "auth_required", final: true, renewed: true}],
  [4003, {name: "auth_expired", final: true, renewed: true}],
  [4008, {name: "slow_consumer", final: false}],
  [4009, {name: "stalled", final: false}],
  [4010, {name: "revoked", final: true}],
  [4029, {name: "too_many_commands", final: false}],
]);

const AWAY = new Set(["unreachable", "timeout"]);
const FALLEN_BACK = "the WebSocket is down, polling meanwhile";

export class Machine {
  /** @type {State} told last */
  state = "connecting";
  /** @type {Way} told last */
  way = "websocket";
  #told = "";
  /** @type {"" | "idle" | "stopped" | "refused"} */
  #ended = "idle";
  /** @type {number | null} since when */
  #hidden_ms = null;
  #socket = new Link("websocket");
  #relay = new Link("relay");
  #links = {websocket: this.#socket, relay: this.#relay};
  #polls = new Polls();
  /** @type {Action[]} */
  #actions = [];
  #poll_ms;
  #hasRelay;
  #renewable;
  #random;

  /**
   * @param {object} options
   * @param {Mode} options.mode which ways it takes
   * @param {number} options.poll_ms how often it polls
   * @param {boolean} options.relay whether there is one
   * @param {boolean} options.renewable whether there can be another token where one has expired
   * @param {() => number} options.random uniform in [0, 1), for the jitter
   */
  constructor({mode, poll_ms, relay, renewable, random}) {
    this.mode = mode;
    this.#poll_ms = poll_ms;
    this.#hasRelay = relay;
    this.#renewable = renewable;
    this.#random = random;
  }

  /** When the next `tick` is due, or null. */
  deadline() {
    const due = [this.#socket.due(), this.#relay.due(), this.#polls.at].filter((at) => at !== null);
    return due.length ? Math.min(...due) : null;
  }

  /** @returns {LinkWay | null} over which data is asked for now */
  get liveWay() {
    if (this.#socket.phase === "live") return "websocket";
    return this.#relay.phase === "live" ? "relay" : null;
  }

  get isHidden() {
    return this.#hidden_ms !== null;
  }

  /** Whether a poll is under way. */
  get isPolling() {
    return this.#polls.phase === "busy";
  }

  // ---- what is asked of it

  /** Begin, or begin again after the end. @param {number} now_ms */
  start(now_ms) {
    if (this.#ended) this.#begin(now_ms, "starting", "opening the first connection");
    return this.#done();
  }

  /** There is another token: what was refused for good may be let in now. @param {number} now_ms */
  token(now_ms) {
    if (this.#ended === "refused") this.#begin(now_ms, "token", "trying another token");
    return this.#done();
  }

  /** @param {number} now_ms */
  stop(now_ms) {
    if (this.#ended !== "stopped") this.#end(now_ms, "stopped", "stopped", "stopped, as asked");
    return this.#done();
  }

  /**
   * The feed does not let this client in, by no way.
   *
   * @param {number} now_ms
   * @param {string} code
   * @param {string} reason
   */
  denied(now_ms, code, reason) {
    if (!this.#ended) this.#end(now_ms, "refused", code, reason);
    return this.#done();
  }

  /** @param {number} now_ms @param {{mode?: Mode, poll_ms?: number, relay?: boolean}} changes */
  configure(now_ms, {mode = this.mode, poll_ms, relay}) {
    if (relay !== undefined) {
      this.#hasRelay = relay;
      if (!relay) this.#leaveRelay(now_ms);
    }
    if (poll_ms !== undefined) {
      this.#poll_ms = poll_ms;
      if (this.#polls.at !== null && this.#polls.phase === "waiting") {
        this.#polls.at = Math.min(this.#polls.at, now_ms + poll_ms);
      }
    }
    if (mode !== this.mode) {
      this.mode = mode;
      if (!this.#ended) this.#modeChanged(now_ms);
    }
    return this.#done();
  }

  // ---- what happens to links

  /**
   * The feed has answered, and asks who one is: that may take a while.
   *
   * @param {number} now_ms
   * @param {LinkWay} way
   */
  greeted(now_ms, way) {
    const link = this.#links[way];
    if (link.phase === "opening") link.at = now_ms + LIMITS.login_ms;
    return this.#done();
  }

  /**
   * The feed takes commands over this link from now on.
   *
   * @param {number} now_ms
   * @param {LinkWay} way
   * @param {number} heartbeat_ms
   */
  welcome(now_ms, way, heartbeat_ms) {
    const link = this.#links[way];
    if (link.phase === "opening") {
      Object.assign(link, {phase: "live", at: null});
      Object.assign(link, {heartbeat_ms, welcomed_ms: now_ms, heard_ms: now_ms});
      if (link === this.#socket) {
        this.#close(this.#relay);
        this.#relay.failures = 0;
      }
      this.#polls.off();
      if (!this.isHidden) this.#actions.push({do: "subscribe", way});
      if (link === this.#socket) {
        this.#say(now_ms, "live", "welcomed", "connected by WebSocket", way);
      } else {
        this.#say(now_ms, "live", "relayed", "connected through the relay", way);
      }
    }
    return this.#done();
  }

  /** A message came, of any kind. @param {number} now_ms @param {LinkWay} way */
  heard(now_ms, way) {
    const link = this.#links[way];
    if (link.phase !== "live") return [];
    link.heard_ms = now_ms;
    if (!link.stale) return [];
    link.stale = false;
    this.#say(now_ms, "live", "heard", "the feed is heard again", way);
    return this.#done();
  }

  /**
   * The feed is about to close this link, and wants this client back after a while.
   *
   * @param {number} now_ms
   * @param {LinkWay} way
   * @param {number} reconnect_ms
   */
  shutdown(now_ms, way, reconnect_ms) {
    const link = this.#links[way];
    if (link.phase === "live") link.comes_back_ms = now_ms + reconnect_ms;
    return this.#done();
  }

  /**
   * A link has lost messages: it is of no use any more.
   *
   * @param {number} now_ms
   * @param {LinkWay} way
   * @param {string} reason
   */
  broken(now_ms, way, reason) {
    const link = this.#links[way];
    if (link.isOpen) {
      this.#actions.push({do: "close", way});
      this.#linkFailed(now_ms, link, "lost_messages", reason);
    }
    return this.#done();
  }

  /**
   * A link has ended, or could not be opened.
   *
   * @param {number} now_ms
   * @param {LinkWay} way
   * @param {number | null} number the close code
   * @param {string} reason
   */
  closed(now_ms, way, number, reason) {
    const link = this.#links[way];
    const known = number === null ? undefined : CLOSES.get(number);
    if (link.isOpen && known?.final && !(this.#renewable && known.renewed)) {
      link.off();
      this.#end(now_ms, "refused", known.name, reason);
    } else if (link.isOpen) {
      const plain = link.phase === "opening" ? "refused" : "closed";
      this.#linkFailed(now_ms, link, known?.name ?? plain, reason);
    }
    return this.#done();
  }

  // ---- what happens to polls

  /** The poll under way was answered. @param {number} now_ms */
  pollOk(now_ms) {
    if (this.#polls.phase === "busy") {
      this.#polls.failures = this.#polls.away = 0;
      this.#pollAgain(now_ms + this.#poll_ms);
      this.#close(this.#relay);
      if (this.mode === "polling") {
        this.#say(now_ms, "polling", "polling_chosen", "polling, as set", "polling");
      } else {
        this.#say(now_ms, "polling", "fell_back", FALLEN_BACK, "polling");
      }
    }
    return this.#done();
  }

  /**
   * The poll under way was not answered, or by an error.
   *
   * @param {number} now_ms
   * @param {string} code
   * @param {string} reason
   */
  pollFailed(now_ms, code, reason) {
    if (this.#polls.phase === "busy") this.#pollHasFailed(now_ms, code, reason);
    return this.#done();
  }

  /** Poll again in place of the poll under way. @param {number} now_ms */
  repoll(now_ms) {
    if (this.#polls.phase === "busy") this.#poll(now_ms);
    return this.#done();
  }

  // ---- what happens to the page

  /**
   * The network is back: try what waits, but for what the feed wants to come later.
   *
   * @param {number} now_ms
   */
  online(now_ms) {
    for (const link of Object.values(this.#links)) {
      if (link.phase === "waiting" && link.comes_back_ms === null) this.#open(now_ms, link);
    }
    if (this.#polls.phase === "waiting") this.#poll(now_ms);
    return this.#done();
  }

  /** The page is seen again. @param {number} now_ms */
  visible(now_ms) {
    if (this.isHidden) {
      this.#hidden_ms = null;
      this.#catchUp(now_ms);
    }
    return this.online(now_ms);
  }

  /** Nobody sees the page: it asks for nothing. @param {number} now_ms */
  hidden(now_ms) {
    if (!this.isHidden) {
      this.#hidden_ms = now_ms;
      if (this.liveWay) this.#actions.push({do: "unsubscribe", way: this.liveWay});
      if (this.#polls.phase === "waiting") this.#polls.pause();
    }
    return this.#done();
  }

  /** Do what is due. @param {number} now_ms */
  tick(now_ms) {
    for (const link of Object.values(this.#links)) {
      const due = link.due();
      if (due !== null && now_ms >= due) this.#linkDue(now_ms, link);
    }
    if (this.#polls.at !== null && now_ms >= this.#polls.at) {
      if (this.#polls.phase === "busy") {
        this.#pollHasFailed(now_ms, "timeout", "the feed did not answer in time");
      } else this.#poll(now_ms);
    }
    return this.#done();
  }

  // ---- how

  #done() {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }

  /** @param {number} now_ms @param {string} code @param {string} reason */
  #begin(now_ms, code, reason) {
    this.#ended = "";
    this.#socket.failures = this.#relay.failures = 0;
    const way = this.mode === "polling" ? "polling" : "websocket";
    this.#say(now_ms, "connecting", code, reason, way);
    if (this.mode === "polling") this.#poll(now_ms);
    else this.#open(now_ms, this.#socket);
  }

  /**
   * @param {number} now_ms
   * @param {"stopped" | "refused"} how
   * @param {string} code
   * @param {string} reason
   */
  #end(now_ms, how, code, reason) {
    this.#close(this.#socket);
    this.#close(this.#relay);
    this.#polls.off();
    this.#ended = how;
    this.#say(now_ms, "closed", code, reason, this.way);
  }

  /** Change over; what serves in the new mode too goes on. @param {number} now_ms */
  #modeChanged(now_ms) {
    if (this.#socket.phase === "live" && this.mode !== "polling") return;
    this.#socket.failures = this.#relay.failures = this.#polls.failures = 0;
    this.#close(this.#socket);
    if (this.#polls.phase === "off" || this.mode === "websocket") {
      this.#close(this.#relay);
      this.#polls.off();
      this.#begin(now_ms, "mode_changed", `switching to ${this.mode}`);
    } else if (this.mode === "auto") {
      this.#open(now_ms, this.#socket);
    } else {
      this.#close(this.#relay);
      if (this.state === "polling") {
        this.#say(now_ms, "polling", "polling_chosen", "polling, as set", "polling");
      }
    }
    if (this.#polls.phase === "waiting") this.#poll(now_ms);
  }

  /** @param {number} now_ms */
  #leaveRelay(now_ms) {
    const wasLive = this.#relay.phase === "live";
    this.#close(this.#relay);
    if (!wasLive) return;
    this.#say(now_ms, "connecting", "closed", "the relay is gone", "polling");
    this.#poll(now_ms);
  }

  /** @param {number} now_ms @param {Link} link */
  #open(now_ms, link) {
    link.off();
    Object.assign(link, {phase: "opening", at: now_ms + LIMITS.connect_ms});
    this.#actions.push({do: "open", way: link.way});
  }

  /** @param {Link} link */
  #close(link) {
    if (link.isOpen) this.#actions.push({do: "close", way: link.way});
    link.off();
  }

  /** @param {number} now_ms @param {Link} link */
  #linkDue(now_ms, link) {
    if (link.phase === "waiting") {
      if (this.#isIdle(now_ms)) this.#park(now_ms, link);
      else this.#open(now_ms, link);
    } else if (link.phase === "opening") {
      this.#actions.push({do: "close", way: link.way});
      this.#linkFailed(now_ms, link, "timeout", "the feed did not answer in time");
    } else if (link.isDead(now_ms)) {
      this.#actions.push({do: "close", way: link.way});
      this.#linkFailed(now_ms, link, "silent", "the feed fell silent");
    } else {
      link.stale = true;
      this.#say(now_ms, "stale", "silent", "the feed has fallen silent", link.way);
    }
  }

  /** @param {number} now_ms @param {Link} link @param {string} code @param {string} reason */
  #linkFailed(now_ms, link, code, reason) {
    const back_ms = link.comes_back_ms;
    if (link.hasProvedItself) link.failures = 0;
    link.off();
    link.phase = "waiting";
    if (back_ms !== null) {
      [code, reason] = ["shutdown", "the server is shutting down"];
      link.comes_back_ms = link.at = Math.max(now_ms, back_ms);
    } else {
      link.failures += 1;
      link.at = now_ms + backoff(link.failures, this.#random);
    }
    if (this.mode === "websocket") this.#say(now_ms, "offline", code, reason, link.way);
    else if ((this.state === "live" || this.state === "stale") && this.way === link.way) {
      this.#say(now_ms, "connecting", code, reason, link.way);
    }
    if (this.#isIdle(now_ms)) this.#park(now_ms, link);
    if (this.mode === "auto" && this.#polls.phase === "off" && !this.liveWay) this.#poll(now_ms);
  }

  /** @param {number} now_ms */
  #isIdle(now_ms) {
    return this.#hidden_ms !== null && now_ms - this.#hidden_ms > LIMITS.idle_ms;
  }

  /** @param {number} now_ms @param {Link} link */
  #park(now_ms, link) {
    link.off();
    if (link === this.#socket) link.phase = "parked";
    if (this.liveWay) return;
    this.#say(now_ms, "offline", "hidden", "not connected while nobody looks", link.way);
  }

  /** @param {number} now_ms */
  #catchUp(now_ms) {
    if (this.liveWay) this.#actions.push({do: "subscribe", way: this.liveWay});
    if (this.#socket.phase === "parked") {
      if (this.state === "offline") {
        this.#say(now_ms, "connecting", "shown", "connecting again", "websocket");
      }
      this.#open(now_ms, this.#socket);
    }
    if (this.#polls.phase === "paused") this.#poll(now_ms);
  }

  /** @param {number} now_ms */
  #poll(now_ms) {
    if (this.isHidden) {
      this.#polls.pause();
      return;
    }
    Object.assign(this.#polls, {phase: "busy", at: now_ms + LIMITS.answer_ms});
    this.#actions.push({do: "poll"});
  }

  /** @param {number} at */
  #pollAgain(at) {
    if (this.isHidden) this.#polls.pause();
    else Object.assign(this.#polls, {phase: "waiting", at});
  }

  /** @param {number} now_ms @param {string} code @param {string} reason */
  #pollHasFailed(now_ms, code, reason) {
    this.#polls.failures += 1;
    this.#polls.away = AWAY.has(code) ? this.#polls.away + 1 : 0;
    this.#pollAgain(now_ms + backoff(this.#polls.failures, this.#random));
    if (this.state === "polling") this.#say(now_ms, "stale", "poll_failed", reason, "polling");
    else this.#say(now_ms, "offline", code, reason, "polling");
    const mayRelay = this.mode === "auto" && this.#hasRelay && !this.isHidden;
    const isAway = this.#polls.away >= LIMITS.relay_polls;
    if (mayRelay && isAway && this.#relay.phase === "off") this.#open(now_ms, this.#relay);
  }

  /**
   * Tell each change once; while nothing can be had it is no change why.
   *
   * @param {number} now_ms
   * @param {State} state
   * @param {string} code
   * @param {string} reason
   * @param {Way} way
   */
  #say(now_ms, state, code, reason, way) {
    const told = `${state} ${code} ${way}`;
    if (told === this.#told || (state === "offline" && this.state === "offline")) return;
    this.#told = told;
    this.state = state;
    this.way = way;
    this.#actions.push({do: "state", state, code, reason, way, at_ms: now_ms});
  }
}
