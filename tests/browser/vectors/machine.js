import {Machine} from "quotewire/core/machine.js";

const METHODS = {
  greeted: ["greeted", "way"],
  welcome: ["welcome", "way", "heartbeat_ms"],
  heard: ["heard", "way"],
  shutdown: ["shutdown", "way", "reconnect_ms"],
  closed: ["closed", "way", "number", "reason"],
  denied: ["denied", "code", "reason"],
  poll_ok: ["pollOk"],
  poll_failed: ["pollFailed", "code", "reason"],
};

/** Steps a machine through a case; tells its actions, and when the next tick is due. */
export function run({mode = "auto", poll_ms = 1000, relay = false, renewable = false, random = [], steps}) {
  const draws = [...random];
  const machine = new Machine({mode, poll_ms, relay, renewable, random: () => draws.shift()});
  return {
    steps: steps.map(({at_ms, event: {type, ...given}}) => {
      const [method, ...names] = METHODS[type] ?? [type];
      const told = names.length ? names.map((name) => given[name]) : [given];
      const actions = machine[method](at_ms, ...told);
      return {actions, deadline_ms: machine.deadline()};
    }),
  };
}
