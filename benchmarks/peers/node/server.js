// Each Redis message is framed once, and the same bytes are written to every client's socket.
// node server.js PORT REDIS_URL CHANNEL
import Redis from "ioredis";
import { Sender, WebSocketServer } from "ws";

const [port, redisUrl, channel] = process.argv.slice(2);

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: Number(port),
  perMessageDeflate: false,
});
const sockets = new Set();

server.on("connection", (client, request) => {
  sockets.add(request.socket);
  client.on("close", () => sockets.delete(request.socket));
  client.on("error", () => client.terminate());
});

const TEXT = { fin: true, opcode: 1, mask: false, readOnly: false, rsv1: false };

const redis = new Redis(redisUrl);
redis.on("messageBuffer", (_channel, payload) => {
  const frame = Buffer.concat(Sender.frame(payload, { ...TEXT }));
  for (const socket of sockets) socket.write(frame);
});
await redis.subscribe(channel);
