import {Staleness} from "quotewire/core/staleness.js";

/** Tells it a case's events; tells how each symbol does. */
export function run({steps}) {
  const staleness = new Staleness();
  const does = {
    heard: ({symbol, received_ms}) => staleness.heard(symbol, received_ms),
    forget: ({symbol}) => staleness.forget(symbol),
    sources: ({states}) => staleness.sources(new Map(Object.entries(states))),
    symbols: ({source_of}) => staleness.symbols(new Map(Object.entries(source_of))),
    connection: ({state}) => staleness.connection(state),
  };
  return {
    steps: steps.map(({at_ms, event, ages = {}}) => {
      if (event) does[event.type](event);
      return {
        ages: Object.fromEntries(
          Object.keys(ages).map((symbol) => [symbol, staleness.of(symbol, at_ms)]),
        ),
      };
    }),
  };
}
