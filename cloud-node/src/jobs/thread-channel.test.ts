import { once } from "node:events";
import { MessageChannel } from "node:worker_threads";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ThreadChannel } from "./thread-channel.ts";
import { ThreadLine } from "./thread-line.ts";
import type { FromThread, Heard } from "./thread-messages.ts";
import { MAX_MESSAGE_BYTES } from "./workload.ts";

const RUN = 3;
let worker: MessageChannel["port1"];
let line: ThreadLine;
let channel: ThreadChannel;
beforeEach(() => {
  const { port1, port2 } = new MessageChannel();
  worker = port1;
  line = new ThreadLine(port2, RUN);
  port2.on("message", (message) => line.heard(message));
  channel = new ThreadChannel(line, 1, 3);
});
afterEach(() => worker.close());

/** What the thread asks for next. */
async function asked(): Promise<FromThread & { readonly kind: "call" }> {
  const [message] = await once(worker, "message");
  return message;
}

test("a message that nobody waits for any more is there for whoever asks next", async () => {
  const stop = new AbortController();
  const first = channel.receive(stop.signal);
  const { id, name } = await asked();
  expect(name).toBe("channel-receive");
  stop.abort(new RangeError("too late"));
  await expect(first).rejects.toThrow("too late");
  await expect(channel.receive(stop.signal)).rejects.toThrow("too late");
  const heard: Heard = { kind: "message", from: 2, message: new Uint8Array([1, 2]), wireBytes: 9 };
  worker.postMessage({ kind: "answer", run: RUN, id, answer: heard });
  expect(await channel.receive()).toEqual(heard);
});

test("a message is copied: the sender may fill it again", async () => {
  const message = Buffer.from("first");
  const sent = channel.send(2, message);
  message.fill("x");
  const { id, args } = await asked();
  expect(Buffer.from(args[1] as Uint8Array).toString()).toBe("first");
  worker.postMessage({ kind: "answer", run: RUN, id, answer: undefined });
  await sent;
});

test.for([1, 3, -1, 0.5, Number.NaN])("a message to %d is refused", async (to) => {
  await expect(channel.send(to, Buffer.from("x"))).rejects.toMatchObject({ code: "failed" });
});

test("a message that is too long is refused, with the limit", async () => {
  const long = channel.send(0, Buffer.alloc(MAX_MESSAGE_BYTES + 1));
  await expect(long).rejects.toMatchObject({ code: "too-large" });
  await expect(long).rejects.toThrow(String(MAX_MESSAGE_BYTES));
});

test("answers of an attempt before, and after the end, are nobody's", async () => {
  const asking = channel.receive();
  const { id } = await asked();
  worker.postMessage({ kind: "answer", run: RUN - 1, id, answer: { kind: "left", from: 0 } });
  worker.postMessage({ kind: "answer", run: RUN, id, answer: { kind: "left", from: 2 } });
  expect(await asking).toEqual({ kind: "left", from: 2 });
  const waiting = channel.receive();
  line.end({ value: "{}" });
  await expect(waiting).rejects.toMatchObject({ code: "cancelled" });
  await expect(channel.receive()).rejects.toMatchObject({ code: "cancelled" });
});
