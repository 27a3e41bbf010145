import { once } from "node:events";
import { expect, test, vi } from "vitest";
import { build } from "./build.ts";
import { firmwareBinding, openPortPair } from "./port.ts";

const EMPTY = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

test("what one port of a pair is told the other one hears, in both directions and in order", async () => {
  const [near, far] = await openPortPair();
  const heard = { near: "", far: "" };
  near.on("data", (chunk: Buffer) => {
    heard.near += chunk.toString();
  });
  far.on("data", (chunk: Buffer) => {
    heard.far += chunk.toString();
  });
  near.write("one ");
  near.write("two");
  far.write(Buffer.alloc(200_000, "x"));
  await new Promise((resolve) => far.drain(resolve));
  await vi.waitFor(
    () => expect({ near: heard.near.length, far: heard.far }).toEqual({ near: 200_000, far: "one two" }),
    20_000,
  );
});

test("a port that is closed takes no more, and its far end is lost with an error", async () => {
  const [near, far] = await openPortPair({ baudRate: 9600 });
  expect(near.baudRate).toBe(9600);
  far.resume();
  const lost = once(far, "close");
  near.close();
  expect((await once(near, "close"))[0]).toBeNull();
  expect((await lost)[0]).toMatchObject({ disconnected: true });
  expect([near.isOpen, far.isOpen]).toEqual([false, false]);
});

test("a board without a program has no port", async () => {
  const firmware = await build(EMPTY, { board: "node", cacheFolder: "unused" });
  expect(() => firmwareBinding(firmware)).toThrow(expect.objectContaining({ code: "wrong-firmware" }));
});
