import {Session} from "quotewire/core/session.js";

const STEPS = {
  configure: (session, now, changes) => session.configure(now, changes),
  token: (session, now, {token}) => session.token(now, token),
  want: (session, now, {want}) => session.want(now, want),
  unwant: (session, now, {want}) => session.unwant(now, want),
  received: (session, now, {way, message}) => session.received(now, way, message),
  closed: (session, now, {way, number, reason}) => session.closed(now, way, number, reason),
  polled: (session, now, {id, quotes, status}) => session.polled(now, id, quotes, status),
  poll_failed: (session, now, {id, code, reason}) => session.pollFailed(now, id, code, reason),
  loaded: (session, now, {id, series}) => session.loaded(now, id, series),
  failure: (session, now, {channel, interval, symbol}) =>
    [session.failure(channel, interval, symbol)].filter((failed) => failed !== null),
  failure_reason: (session, now, {channel, interval, symbol}) =>
    [session.failure(channel, interval, symbol)?.reason].filter((reason) => reason !== undefined),
  history_failure: (session, now, {symbol, interval}) =>
    [session.historyFailure(symbol, interval)?.code].filter((code) => code !== undefined),
  older: (session, now, {symbol, interval, bars}) => session.older(now, symbol, interval, bars),
  has_older: (session, now, {symbol, interval}) => [session.hasOlder(symbol, interval)],
  load_failed: (session, now, {id, code, reason}) => session.loadFailed(now, id, code, reason),
};

/** Leads a conversation; tells actions, and when the next tick is due. */
export function run({settings = {}, random = [], steps}) {
  const draws = [...random];
  const session = new Session(settings, () => draws.shift());
  const told = steps.map(({at_ms, event: {type, ...given}}) => {
    const step = STEPS[type] ?? ((one, now) => one[type](now));
    const actions = step(session, at_ms, structuredClone(given)).map(plain);
    return {actions, deadline_ms: session.deadline()};
  });
  return {steps: told, counts: {...session.meter.counts}, sizes: session.sizes()};
}

function plain(action) {
  if (action.do === "bars") {
    return {...action, finals: action.finals.map(({start_ms, close}) => [start_ms, close])};
  }
  if (action.do === "status") {
    const states = [...action.sources].map(([name, {state}]) => [name, state]);
    return {...action, sources: Object.fromEntries(states)};
  }
  return action;
}
