import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { HttpTarget } from "./http-target.ts";

const LIMIT_MS = 120_000;

let node: HttpTarget;
let greedy: Record<string, string> = {};
let modest: Record<string, string> = {};
const held: Socket[] = [];

beforeAll(async () => {
  node = await HttpTarget.open();
  greedy = { authorization: `Bearer ${await node.token("greedy", "--role", "read")}` };
  modest = { authorization: `Bearer ${await node.token("modest", "--role", "read")}` };
}, LIMIT_MS);

afterEach(() => {
  for (const socket of held.splice(0)) socket.destroy();
});

afterAll(async () => {
  await node.close();
}, LIMIT_MS);

/** A connection that is held for as long as the node lets it. */
function hold(text: string, from: string): Socket {
  const socket = connect({ host: "127.0.0.1", port: node.port, localAddress: from });
  socket.on("error", () => {});
  socket.write(text);
  held.push(socket);
  return socket;
}

/** Whoever has a right to an answer gets one. */
async function expectServed(): Promise<void> {
  const answer = await node.ask("/api/v1/devices", { headers: modest, from: "127.0.0.200" });
  expect([answer.status, answer.body.includes("pump")]).toEqual([200, true]);
}

test(
  "requests that are never finished are cut, heads and bodies alike, and others are served meanwhile",
  async () => {
    const authorization = `authorization: ${greedy.authorization}`;
    const post = `POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\n${authorization}\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n`;
    const slow = [
      ...Array.from({ length: 150 }, (_, n) =>
        hold("GET / HTTP/1.1\r\nhost: localhost\r\nx-slow: a", `127.0.1.${n % 10}`),
      ),
      ...Array.from({ length: 50 }, (_, n) => hold("", `127.0.2.${n % 10}`)),
      ...Array.from({ length: 50 }, (_, n) => hold(post, `127.0.3.${n % 10}`)),
    ];
    const drip = setInterval(() => {
      for (const socket of slow.filter((_, n) => n < 150 || n >= 200)) if (socket.writable) socket.write("a");
    }, 500);
    try {
      await expectServed();
      for (const socket of slow) if (!socket.closed) await once(socket.resume(), "close");
    } finally {
      clearInterval(drip);
    }
    await expectServed();
  },
  LIMIT_MS,
);

test(
  "one address does not take the connections of the others",
  async () => {
    const crowd = Array.from({ length: 700 }, () => hold("", "127.0.0.66").resume());
    const cut = new Promise((resolve) => {
      let count = 0;
      for (const socket of crowd) socket.once("close", () => ++count === 700 - 512 && resolve(count));
    });
    await cut;
    await expectServed();
  },
  LIMIT_MS,
);

test(
  "one token does not take the streams of the others, and gets its own again",
  async () => {
    const stream = (
      { authorization = "" }: Record<string, string>,
      from: string,
    ): Promise<{ socket: Socket; head: string }> => {
      const socket = hold(
        `GET /api/v1/stream HTTP/1.1\r\nhost: localhost\r\nauthorization: ${authorization}\r\n\r\n`,
        from,
      );
      return once(socket, "data").then(([chunk]) => ({ socket: socket.resume(), head: String(chunk) }));
    };
    const streams = await Promise.all(Array.from({ length: 80 }, () => stream(greedy, "127.0.0.67")));
    const taken = streams.filter(({ head }) => head.startsWith("HTTP/1.1 200"));
    expect(taken).toHaveLength(64);
    expect(streams.filter(({ head }) => /^HTTP\/1\.1 503.*too-many-streams/s.test(head))).toHaveLength(16);
    expect((await stream(modest, "127.0.0.67")).head).toMatch(/^HTTP\/1\.1 200/);
    // What its reader gives back is free again, however it was left.
    const [first] = taken;
    first?.socket.destroy();
    let again = await stream(greedy, "127.0.0.68");
    while (!again.head.startsWith("HTTP/1.1 200")) again = await stream(greedy, "127.0.0.68");
  },
  LIMIT_MS,
);
