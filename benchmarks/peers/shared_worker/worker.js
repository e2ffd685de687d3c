/**
 * One socket to the feed for all tabs. A prototype for `benchmarks/tabs.py`.
 *
 * A tab gets the data while it has any subscription. What it asks goes on to the feed under another
 * number, and the answer comes back under its own; symbols that another tab has too stay subscribed.
 * A heartbeat says to each tab how much that one was sent.
 */

const socket = new WebSocket(decodeURIComponent(location.search.slice(1)));
/** @type {Map<MessagePort, Set<string>>} by tab: "channel interval symbol" */
const tabs = new Map();
/** How many messages each was sent. */
const sent = new Map();
/** Who asked, and under which number. */
const asked = new Map();
let welcome = null;
let numbers = 0;

self.onconnect = ({ports: [port]}) => {
  tabs.set(port, new Set());
  sent.set(port, 0);
  port.onmessage = ({data}) => (data === null ? leave(port) : ask(port, JSON.parse(data)));
  if (welcome !== null) post(port, welcome);
};

socket.onmessage = ({data}) => {
  if (data.startsWith('{"type":"quotes"') || data.startsWith('{"type":"bars"')) return tell(data);
  const message = JSON.parse(data);
  if (message.type === "welcome") {
    welcome = data;
    for (const port of tabs.keys()) post(port, data);
  } else if (message.type === "heartbeat") {
    for (const [port, frames] of sent) post(port, JSON.stringify({...message, frames}));
  } else if (asked.has(message.id)) {
    const {port, id} = asked.get(message.id);
    asked.delete(message.id);
    if (tabs.has(port)) post(port, JSON.stringify({...message, id}));
  } else tell(data, true);
};

function tell(data, all = false) {
  for (const [port, wanted] of tabs) if (all || wanted.size) post(port, data);
}

function post(port, data) {
  sent.set(port, sent.get(port) + 1);
  port.postMessage(data);
}

function ask(port, message) {
  const wanted = tabs.get(port);
  const keys = keysOf(message);
  if (message.type === "subscribe") keys.forEach((key) => wanted.add(key));
  if (message.type === "unsubscribe") {
    keys.forEach((key) => wanted.delete(key));
    release(port, message);
    return;
  }
  // What another tab has is not told anew to the same connection, so it is begun again.
  if (message.type === "subscribe") send(null, ending(message));
  send(port, message);
}

function ending({channel, symbols, interval}) {
  return {type: "unsubscribe", channel, symbols, interval};
}

/** The tab is answered at once; the feed is told of what no other tab has. */
function release(port, message) {
  if (tabs.has(port)) post(port, JSON.stringify({...message, type: "unsubscribed"}));
  const held = new Set([...tabs.values()].flatMap((wanted) => [...wanted]));
  const keys = keysOf(message);
  const symbols = message.symbols.filter((_, i) => !held.has(keys[i]));
  if (symbols.length) send(null, {...message, symbols});
}

function leave(port) {
  const wanted = tabs.get(port);
  tabs.delete(port);
  sent.delete(port);
  for (const key of wanted) {
    const [channel, interval, symbol] = key.split(" ");
    release(port, ending({channel, symbols: [symbol], interval: interval || undefined}));
  }
}

function send(port, message) {
  numbers += 1;
  asked.set(numbers, {port, id: message.id});
  socket.send(JSON.stringify({...message, id: numbers}));
}

function keysOf({channel, interval = "", symbols = []}) {
  return symbols.map((symbol) => `${channel} ${interval} ${symbol}`);
}
