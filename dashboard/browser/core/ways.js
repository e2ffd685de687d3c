/**
 * The ways to the feed: which is open, which is tried, and which is taken where one fails. Pure.
 *
 * The WebSocket is preferred; where it fails polls take its place, and the relay where these reach
 * nobody. Twin of `dashboard/client/core/ways.py`.
 *
 * @typedef {import("./situation.js").LinkWay} LinkWay
 * @typedef {import("./situation.js").Situation} Situation
 */

import {CLOSES} from "quotewire/core/codes.js";
import {LIMITS} from "quotewire/core/limits.js";
import {Link} from "quotewire/core/links.js";
import {Polling} from "quotewire/core/polling.js";

/** All of them; `Machine` says what each method is told. */
export class Ways {
  #situation;
  #hasRelay;
  #links;

  /**
   * @param {Situation} situation
   * @param {number} poll_ms how often is polled
   * @param {boolean} hasRelay
   */
  constructor(situation, poll_ms, hasRelay) {
    this.#situation = situation;
    this.#hasRelay = hasRelay;
    this.socket = new Link("websocket", situation);
    this.relay = new Link("relay", situation);
    this.polls = new Polling(situation, poll_ms);
    this.#links = {websocket: this.socket, relay: this.relay};
  }

  /** When the next `tick` is due, or null. */
  deadline() {
    const due = [this.socket.due(), this.relay.due(), this.polls.at].filter((at) => at !== null);
    return due.length ? Math.min(...due) : null;
  }

  /** @returns {LinkWay | null} which link data is asked for over now */
  get live() {
    if (this.socket.phase === "live") return "websocket";
    return this.relay.phase === "live" ? "relay" : null;
  }

  // ---- what happens to links

  /** Have patience with a link that asks who one is. @param {number} now_ms @param {LinkWay} way */
  greeted(now_ms, way) {
    const link = this.#links[way];
    if (link.phase === "opening") link.at = now_ms + LIMITS.login_ms;
  }

  /**
   * Take a link for live, in place of others.
   *
   * @param {number} now_ms
   * @param {LinkWay} way
   * @param {number} heartbeat_ms
   */
  welcome(now_ms, way, heartbeat_ms) {
    const link = this.#links[way];
    if (link.phase !== "opening") return;
    link.welcomed(now_ms, heartbeat_ms);
    if (link === this.socket) {
      this.relay.close();
      this.relay.failures = 0;
    }
    this.polls.off();
    if (!this.#situation.isHidden) this.#situation.do({do: "subscribe", way});
    if (link === this.socket) {
      this.#situation.say(now_ms, "live", "welcomed", "connected by WebSocket", way);
    } else {
      this.#situation.say(now_ms, "live", "relayed", "connected through the relay", way);
    }
  }

  /** Take a link for live still, or again. @param {number} now_ms @param {LinkWay} way */
  heard(now_ms, way) {
    const link = this.#links[way];
    if (link.phase !== "live") return;
    link.heard(now_ms);
    if (!link.stale) return;
    link.stale = false;
    this.#situation.say(now_ms, "live", "heard", "the feed is heard again", way);
  }

  /**
   * Know when the feed wants this client back.
   *
   * @param {number} now_ms
   * @param {LinkWay} way
   * @param {number} reconnect_ms
   */
  shutdown(now_ms, way, reconnect_ms) {
    const link = this.#links[way];
    if (link.phase === "live") link.comes_back_ms = now_ms + reconnect_ms;
  }

  /**
   * Give up a link that has lost messages.
   *
   * @param {number} now_ms
   * @param {LinkWay} way
   * @param {string} reason
   */
  broken(now_ms, way, reason) {
    const link = this.#links[way];
    if (link.isOpen) this.#giveUp(now_ms, link, "lost_messages", reason);
  }

  /**
   * Go on without a link, or end where the feed closed it for good.
   *
   * @param {number} now_ms
   * @param {LinkWay} way
   * @param {number | null} number the close code
   * @param {string} reason
   */
  closed(now_ms, way, number, reason) {
    const link = this.#links[way];
    const known = number === null ? undefined : CLOSES.get(number);
    if (link.isOpen && known?.final && !(this.#situation.renewable && known.renewed)) {
      link.off();
      this.end(now_ms, "refused", known.name, reason);
    } else if (link.isOpen) {
      const plain = link.phase === "opening" ? "refused" : "closed";
      this.#failed(now_ms, link, known?.name ?? plain, reason);
    }
  }

  // ---- what is done with them

  /**
   * Try the first way, from the beginning.
   *
   * @param {number} now_ms
   * @param {string} code
   * @param {string} reason
   */
  begin(now_ms, code, reason) {
    const way = this.#situation.mode === "polling" ? "polling" : "websocket";
    this.#situation.ended = "";
    this.socket.failures = this.relay.failures = 0;
    this.#situation.say(now_ms, "connecting", code, reason, way);
    if (way === "polling") this.polls.poll(now_ms);
    else this.socket.open(now_ms);
  }

  /**
   * Leave all of them.
   *
   * @param {number} now_ms
   * @param {"stopped" | "refused"} how
   * @param {string} code
   * @param {string} reason
   */
  end(now_ms, how, code, reason) {
    this.socket.close();
    this.relay.close();
    this.polls.off();
    this.#situation.ended = how;
    this.#situation.say(now_ms, "closed", code, reason, this.#situation.way);
  }

  /** Go by another mode; what serves in that mode too goes on. @param {number} now_ms */
  changeOver(now_ms) {
    const {mode} = this.#situation;
    if (this.socket.phase === "live" && mode !== "polling") return;
    this.socket.failures = this.relay.failures = this.polls.failures = 0;
    this.socket.close();
    if (this.polls.phase === "off" || mode === "websocket") {
      this.relay.close();
      this.polls.off();
      this.begin(now_ms, "mode_changed", `switching to ${mode}`);
    } else if (mode === "auto") {
      this.socket.open(now_ms);
    } else {
      this.relay.close();
      if (this.#situation.state === "polling") this.polls.sayChosen(now_ms);
    }
    if (this.polls.phase === "waiting") this.polls.poll(now_ms);
  }

  /**
   * Know whether there is a relay, and leave one that is gone.
   *
   * @param {number} now_ms
   * @param {boolean} hasRelay
   */
  setRelay(now_ms, hasRelay) {
    this.#hasRelay = hasRelay;
    if (hasRelay) return;
    const wasLive = this.relay.phase === "live";
    this.relay.close();
    if (!wasLive) return;
    this.#situation.say(now_ms, "connecting", "closed", "the relay is gone", "polling");
    this.polls.poll(now_ms);
  }

  /** Try at once what waits, but for what the feed wants to come later, or nobody sees. @param {number} now_ms */
  tryWaiting(now_ms) {
    const idle = this.#situation.isIdle(now_ms);
    for (const link of Object.values(this.#links)) {
      if (link.phase === "waiting" && link.comes_back_ms === null && !idle) link.open(now_ms);
    }
    if (this.polls.phase === "waiting") this.polls.poll(now_ms);
  }

  /** Go on where nobody saw the page. @param {number} now_ms */
  catchUp(now_ms) {
    if (this.live) this.#situation.do({do: "subscribe", way: this.live});
    if (this.socket.phase === "parked") {
      if (this.#situation.state === "offline") {
        this.#situation.say(now_ms, "connecting", "shown", "connecting again", "websocket");
      }
      this.socket.open(now_ms);
    }
    if (this.polls.phase === "paused") this.polls.poll(now_ms);
  }

  /**
   * Go on without an answer to the poll under way.
   *
   * @param {number} now_ms
   * @param {string} code
   * @param {string} reason
   */
  pollFailed(now_ms, code, reason) {
    this.polls.failed(now_ms, code, reason);
    const mayRelay = this.#situation.mode === "auto" && !this.#situation.isHidden;
    const isThere = this.#hasRelay && this.relay.phase === "off";
    if (mayRelay && isThere && this.polls.reachesNobody) this.relay.open(now_ms);
  }

  /** Do what is due. @param {number} now_ms */
  tick(now_ms) {
    for (const link of Object.values(this.#links)) {
      const due = link.due();
      if (due !== null && now_ms >= due) this.#linkDue(now_ms, link);
    }
    if (this.polls.at === null || now_ms < this.polls.at) return;
    if (this.polls.phase === "busy") {
      this.pollFailed(now_ms, "timeout", "the feed did not answer in time");
    } else this.polls.poll(now_ms);
  }

  // ---- how

  /** @param {number} now_ms @param {Link} link */
  #linkDue(now_ms, link) {
    if (link.phase === "waiting") {
      if (this.#situation.isIdle(now_ms)) this.#park(now_ms, link);
      else link.open(now_ms);
    } else if (link.phase === "opening") {
      this.#giveUp(now_ms, link, "timeout", "the feed did not answer in time");
    } else if (link.isDead(now_ms)) {
      this.#giveUp(now_ms, link, "silent", "the feed fell silent");
    } else {
      link.stale = true;
      this.#situation.say(now_ms, "stale", "silent", "the feed has fallen silent", link.way);
    }
  }

  /** @param {number} now_ms @param {Link} link @param {string} code @param {string} reason */
  #giveUp(now_ms, link, code, reason) {
    this.#situation.do({do: "close", way: link.way});
    this.#failed(now_ms, link, code, reason);
  }

  /** @param {number} now_ms @param {Link} link @param {string} code @param {string} reason */
  #failed(now_ms, link, code, reason) {
    const situation = this.#situation;
    link.wait(now_ms);
    if (link.comes_back_ms !== null) [code, reason] = ["shutdown", "the server is shutting down"];
    if (situation.mode === "websocket") situation.say(now_ms, "offline", code, reason, link.way);
    else if (["live", "stale"].includes(situation.state) && situation.way === link.way) {
      situation.say(now_ms, "connecting", code, reason, link.way);
    }
    if (situation.isIdle(now_ms)) this.#park(now_ms, link);
    const isServed = this.polls.phase !== "off" || this.live !== null;
    if (situation.mode === "auto" && !isServed) this.polls.poll(now_ms);
  }

  /** @param {number} now_ms @param {Link} link */
  #park(now_ms, link) {
    link.off();
    if (link === this.socket) link.phase = "parked";
    if (this.live) return;
    this.#situation.say(now_ms, "offline", "hidden", "not connected while nobody looks", link.way);
  }
}
