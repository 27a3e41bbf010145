import { expect, test } from "vitest";
import { BrokerStream } from "./broker-stream.ts";

const DATA_BYTES = 65_530;
const WINDOW = 16;

/** Two ends, and what they have published to each other and is not delivered yet. */
function pair() {
  const toB: Buffer[] = [];
  const toA: Buffer[] = [];
  const a: BrokerStream = new BrokerStream((message) => toB.push(message), 0);
  const b: BrokerStream = new BrokerStream((message) => toA.push(message), 0);
  for (const end of [a, b]) end.on("error", () => undefined);
  return { a, b, toA, toB };
}

/** Let both streams do what they have put off. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A message as it stands on the wire. */
function message(kind: number, number: number, bytes: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.of(kind, 0, 0, 0, 0);
  head.writeUInt32BE(number, 1);
  return Buffer.concat([head, bytes]);
}

test("no more than sixteen messages go that nobody has read", () => {
  const { a, toB } = pair();
  for (let i = 0; i < 40; i++) a.write(Buffer.alloc(10));
  expect(toB).toHaveLength(WINDOW);
  a.receive(message(1, 5));
  expect(toB).toHaveLength(WINDOW + 5);
  // What was overtaken on its way.
  a.receive(message(1, 3));
  expect(toB).toHaveLength(WINDOW + 5);
});

test("what was written before the end is read whole, however slowly it goes, also once the sender is gone", async () => {
  const { a, b, toA, toB } = pair();
  const sent = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => i % 251));
  a.write(sent);
  a.end();
  let isDestroyed = false;
  const deliver = async () => {
    while (!b.readableEnded) {
      const next = toB.shift();
      if (next !== undefined) b.receive(next);
      for (const answer of toA.splice(0)) a.receive(answer);
      if (a.writableFinished && !isDestroyed) {
        isDestroyed = true;
        a.destroy();
      }
      await turn();
    }
  };
  const delivering = deliver();
  const heard: Buffer[] = [];
  for await (const chunk of b) heard.push(chunk);
  await delivering;
  expect(Buffer.concat(heard).equals(sent)).toBe(true);
  expect(isDestroyed).toBe(true);
});

test("what came before the other end was gone is read, then the stream is over, also for what waited to be sent", async () => {
  const { b } = pair();
  b.write(Buffer.alloc(20 * DATA_BYTES));
  b.receive(message(0, 0, Buffer.from("the last word")));
  b.receive(message(3, 0));
  const heard: Buffer[] = [];
  for await (const chunk of b) heard.push(chunk);
  expect(Buffer.concat(heard).toString()).toBe("the last word");
  while (!b.destroyed) await turn();
});

test("one that has said its end goes on to say what it has read", async () => {
  const { a, b, toA, toB } = pair();
  a.end();
  b.receive(message(2, 0));
  expect(toB.map(([kind]) => kind)).toEqual([2]);
  for (let i = 0; i < WINDOW; i++) a.receive(message(0, i, Buffer.of(i)));
  a.resume();
  await turn();
  expect(toB.map(([kind]) => kind)).toContain(1);
  expect(toA).toEqual([]);
});

test("a message that comes twice is heard once", async () => {
  const { b } = pair();
  for (const [number, text] of [
    [0, "a"],
    [0, "a"],
    [1, "b"],
    [0, "a"],
  ] as const)
    b.receive(message(0, number, Buffer.from(text)));
  b.receive(message(2, 2));
  const heard: Buffer[] = [];
  for await (const chunk of b) heard.push(chunk);
  expect(Buffer.concat(heard).toString()).toBe("ab");
});

test.for<[string, ...Buffer[]]>([
  ["a message that is too short", Buffer.of(0)],
  ["no message at all", Buffer.alloc(0)],
  ["a kind that there is not", message(9, 0)],
  ["data out of turn", message(0, 1, Buffer.of(1))],
  ["empty data", message(0, 0)],
  ["data longer than it may be", message(0, 0, Buffer.alloc(DATA_BYTES + 1))],
  ["more than was sent taken", message(1, 1)],
  ["an end before its data", message(2, 1)],
  ["data after the end", message(2, 0), message(0, 0, Buffer.of(1))],
  [
    "more messages than may be under way",
    ...Array.from({ length: WINDOW + 1 }, (_, i) => message(0, i, Buffer.alloc(DATA_BYTES))),
  ],
])("%s breaks the stream, and says so", async ([, ...messages]) => {
  const { b, toA } = pair();
  const broken = new Promise<Error>((resolve) => b.once("error", resolve));
  for (const one of messages) b.receive(one);
  expect(await broken).toMatchObject({ name: "JobError", code: "peer-left" });
  expect(toA.at(-1)).toEqual(message(3, 0));
});
