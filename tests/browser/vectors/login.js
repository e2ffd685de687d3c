import {Login} from "quotewire/core/login.js";

const STEPS = {
  restart: (login) => login.restart(),
  welcomed: (login, now, {way, server_ms, required}) => login.welcomed(now, way, server_ms, required),
  authenticated: (login, now, {way, expires_ms}) => login.authenticated(now, way, expires_ms),
  refused: (login, now, {way, token, code, reason}) =>
    login.refused(now, way, token, code, reason),
  accepted: (login) => login.accepted(),
  take: (login, now, {token}) => login.take(token),
  closed: (login, now, {way}) => login.closed(way),
  tick: (login, now) => login.tick(now),
};

/** Steps a login through a case; tells its actions, and when the next tick is due. */
export function run({renewable = false, steps}) {
  const login = new Login(renewable);
  return {
    steps: steps.map(({at_ms, event}) => ({
      actions: STEPS[event.type](login, at_ms, event) ?? [],
      deadline_ms: login.deadline(),
    })),
  };
}
