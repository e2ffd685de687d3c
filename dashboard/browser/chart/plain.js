/** Objects all through: Python's dictionaries may come as maps. @param {any} parts @returns {any} */
export function plain(parts) {
  if (Array.isArray(parts)) return parts.map(plain);
  const entries = parts instanceof Map ? [...parts] : parts?.constructor === Object ? Object.entries(parts) : null;
  return entries ? Object.fromEntries(entries.map(([name, part]) => [name, plain(part)])) : parts;
}
