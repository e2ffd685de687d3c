import {Meter} from "quotewire/core/latency.js";

/** Tells a meter a case's events; tells its facts after each. */
export function run({steps, replayed = []}) {
  const meter = new Meter();
  meter.replayed = new Set(replayed);
  const does = {
    message: (at_ms, {size_bytes}) => meter.message(at_ms, size_bytes),
    applied: (at_ms, {rows, newest}) => meter.applied(at_ms, rows, newest),
    shown: (at_ms) => meter.shown(at_ms),
    handed: (at_ms, {received}) => meter.handed(at_ms, received),
    seen: (_at_ms, {seen}) => meter.seen(seen),
    pinged: (at_ms, {ping}) => meter.pinged(ping, at_ms),
    ponged: (at_ms, {ping, server_ms}) => meter.ponged(ping, server_ms, at_ms),
    welcomed: () => meter.welcomed(),
  };
  return {
    steps: steps.map(({at_ms, events}) => {
      for (const event of events) does[event.type](at_ms, event);
      return {facts: meter.facts(at_ms), server_ms: meter.serverMs(at_ms)};
    }),
    counts: {...meter.counts},
  };
}
