/**
 * Facts about the page, for tests and for the curious: `window.__quotewire`.
 *
 * Read-only, and a copy each time: nothing the page does can be changed through it.
 */

/** @type {Map<string | symbol, () => unknown>} */
const providers = new Map();

/**
 * @param {string} name
 * @param {() => unknown} provider what to say when asked; JSON-like
 * @returns {() => void} withdraws it, unless another has taken its place
 */
export function expose(name, provider) {
  providers.set(name, provider);
  return () => {
    if (providers.get(name) === provider) providers.delete(name);
  };
}

if (!("__quotewire" in window)) {
  const facts = new Proxy({}, {
    get: (_, name) => (structuredClone(providers.get(name)?.())),
    has: (_, name) => providers.has(name),
    ownKeys: () => [...providers.keys()],
    getOwnPropertyDescriptor: (_, name) =>
      providers.has(name) ? {enumerable: true, configurable: true} : undefined,
    set: () => false,
    deleteProperty: () => false,
  });
  Object.defineProperty(window, "__quotewire", {value: facts});
}
