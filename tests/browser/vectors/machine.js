import { Machine } from "quotewire/machine.js";

/** Steps a machine through a case; tells its actions, and when the next tick is due. */
export function run({ mode, random, steps }) {
  const draws = [...random];
  const machine = new Machine({ mode, random: () => draws.shift() });
  return {
    steps: steps.map(({ at_ms, event }) => {
      const actions = machine.step(at_ms, event);
      return { actions, deadline_ms: machine.deadline() };
    }),
  };
}
