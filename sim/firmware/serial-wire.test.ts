import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { seededRandom } from "../seeded-random.ts";
import type { LineNoise } from "./line-noise.ts";
import { SerialWire } from "./serial-wire.ts";

const LIMIT_MS = 20_000;

let folder = "";
let wire: SerialWire;
const seen = { up: "", down: "" };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-wire-"));
  Object.assign(seen, { up: "", down: "" });
});

afterEach(async () => {
  await wire.cut();
  rmSync(folder, { recursive: true });
});

async function lay(noise?: LineNoise): Promise<{ path: string; near: { text: string } }> {
  const path = join(folder, "line");
  const onUp = (chunk: Uint8Array) => {
    seen.up += Buffer.from(chunk).toString();
  };
  const onDown = (chunk: Uint8Array) => {
    seen.down += Buffer.from(chunk).toString();
  };
  wire = new SerialWire({ path, noise, random: seededRandom(3), onUp, onDown });
  await wire.lay();
  const near = { text: "" };
  wire.plugIn({
    write: (bytes) => {
      near.text += Buffer.from(bytes).toString("latin1");
    },
  });
  return { path, near };
}

async function far(path: string): Promise<{ socket: Socket; text: () => string }> {
  const socket = connect(path);
  let text = "";
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
  });
  await once(socket, "connect");
  await vi.waitFor(() => expect(wire.connections).toBeGreaterThan(0), LIMIT_MS);
  return { socket, text: () => text };
}

describe.skipIf(process.platform === "win32")("a serial wire", () => {
  test("passes bytes both ways, and says which", async () => {
    const { path, near } = await lay();
    const { socket, text } = await far(path);
    wire.up(Buffer.from("measured"));
    socket.write("confirmed");
    await vi.waitFor(() => expect([text(), near.text]).toEqual(["measured", "confirmed"]), LIMIT_MS);
    expect(seen).toEqual({ up: "measured", down: "confirmed" });
  });

  test("loses what is sent while nobody is at the other end", async () => {
    const { path, near } = await lay();
    wire.up(Buffer.from("early "));
    const { socket, text } = await far(path);
    wire.up(Buffer.from("late"));
    await vi.waitFor(() => expect(text()).toBe("late"), LIMIT_MS);
    expect(seen.up).toBe("early late");
    wire.plugIn(undefined);
    socket.write("to nobody");
    socket.end();
    await once(socket, "close");
    expect([near.text, seen.down]).toEqual(["", ""]);
  });

  test("is no more once it is cut, and is there again once it is laid", async () => {
    const { path } = await lay();
    const { socket } = await far(path);
    const lost = once(socket, "close");
    await wire.cut();
    await lost;
    const refused = connect(path);
    await expect(once(refused, "connect")).rejects.toMatchObject({ code: "ENOENT" });
    await wire.lay();
    await far(path);
    expect(wire.connections).toBe(2);
  });

  test("puts noise in front of what passes, and shows none of it to who watches", async () => {
    const { path } = await lay({ everyBytes: 1, mostBytes: 8 });
    const { text } = await far(path);
    for (let n = 0; n < 50; n += 1) wire.up(Buffer.from("x"));
    await vi.waitFor(() => expect(text().length).toBeGreaterThan(100), LIMIT_MS);
    expect([seen.up, wire.disturbed]).toEqual(["x".repeat(50), 50]);
  });
});
