import {Subscriptions} from "quotewire/core/subscriptions.js";

const STEPS = {
  want: (held, now, {want}) => held.want(want),
  unwant: (held, now, {want}) => held.unwant(now, want),
  configure: (held, now, {max_hz}) => held.configure(max_hz),
  linked: (held) => held.linked(),
  unlinked: (held) => held.unlinked(),
  rest: (held) => held.rest(),
  answered: (held, now, {channel, interval, symbols, failed, reason, indicators}) =>
    held.answered(now, channel, interval, symbols, failed, reason, indicators),
  dropped: (held, now, {channel, interval, symbols}) => held.dropped(now, channel, interval, symbols),
  allowed: (held, now) => held.allowed(now),
  tick: (held, now) => held.tick(now),
  failure: (held, now, {channel, interval, symbol, indicators}) =>
    [held.failure(channel, interval, symbol, indicators)].filter((failed) => failed !== null),
};

/** Steps subscriptions through a case; tells actions, the deadline, and what is to be polled. */
export function run({max_hz = 0, steps}) {
  const held = new Subscriptions(max_hz);
  return {
    steps: steps.map(({at_ms, event}) => ({
      actions: STEPS[event.type](held, at_ms, event) ?? [],
      deadline_ms: held.deadline(),
      polled: held.wanted(at_ms, "quotes").map(({symbol}) => symbol),
      held: held.size,
    })),
  };
}
