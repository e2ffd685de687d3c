import {compareBars} from "quotewire/core/bars.js";
import {Epochs, compare} from "quotewire/core/ordering.js";

/** Compares what a case gives, or enters its epochs. */
export function run({steps}) {
  const epochs = new Epochs();
  const does = {
    enter: ({stream, epoch}) => ({entered: epochs.enter(stream, epoch)}),
    forget: ({stream}) => ({forgotten: epochs.forget(stream)}),
    quotes: ({held, new: next}) => ({newer: Math.sign(compare(...held, ...next))}),
    bars: ({held, new: next}) => ({newer: Math.sign(compareBars(held, next))}),
  };
  return {steps: steps.map(({event}) => does[event.type](event))};
}
