import {Pace} from "quotewire/core/pace.js";

/** Offers it a case's items; tells what was to be applied when, and when it is due. */
export function run({max_hz, merge, steps}) {
  const pace = new Pace(max_hz, merge === "sum" ? (held, newer) => held + newer : undefined);
  const does = {
    offer: (at_ms, {items}) => pace.offer(at_ms, Object.entries(items)),
    take: (at_ms) => pace.take(at_ms),
    show: (at_ms) => pace.show(at_ms),
    hide: () => pace.hide(),
    clear: () => pace.clear(),
    configure: (_at_ms, event) => pace.configure(event.max_hz),
  };
  return {
    steps: steps.map(({at_ms, event}) => ({
      applied: [...(does[event.type](at_ms, event) ?? [])],
      deadline_ms: pace.deadline(),
    })),
  };
}
