import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { orderFrame } from "./atom-order.ts";
import { ChunkPool } from "./chunk-pool.ts";
import { type ColumnGroup, groupColumns } from "./column-groups.ts";
import { ContainerWriter } from "./container-writer.ts";
import { parseEpsRules } from "./eps-rules.ts";
import { Melt } from "./melt.suite.ts";

const RULES = parseEpsRules("x=1e-3,v=1e-2,f=1e-1");
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lockstep-chunk-pool-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function packed(threads: number): Promise<Buffer> {
  const melt = new Melt({ atoms: 40, frames: 30, interval: 0.05, seed: 4 });
  const path = join(folder, "container.lkt");
  const file = await open(path, "w+");
  try {
    const writer = await ContainerWriter.create(file, { rules: RULES, mode: "max", chunkFrames: 3, threads });
    for (let i = 0; i < melt.frames; i++) await writer.add(melt.frame(i));
    await writer.end();
    expect(writer.written.frames).toBe(30);
    expect(writer.bounds.map(({ eps }) => eps)).toEqual([0.1, 1e-2, 1e-3, 0]);
    return await readFile(path);
  } finally {
    await file.close();
  }
}

test("a container is the same, byte for byte, whoever codes its chunks", { timeout: 120_000 }, async () => {
  const alone = await packed(1);
  for (const threads of [2, 4]) expect((await packed(threads)).equals(alone)).toBe(true);
});

test("one chunk more than there are threads is taken, and waits its turn", async () => {
  const pool = new ChunkPool(2);
  try {
    const orders = [0, 1, 2, 3].map((seed) => {
      const frame = new Melt({ atoms: 5, frames: 1, interval: 1, seed }).frame(0);
      return { groups: groupColumns(frame, RULES, "max"), frames: [orderFrame(frame)], keepRows: false };
    });
    const coding = orders.map((order, i) => {
      expect(pool.hasRoom(order)).toBe(i < 3);
      return i < 3 ? pool.encode(order) : undefined;
    });
    for (const chunk of coding.slice(0, 3)) expect((await chunk)?.frames).toBe(1);
    expect(pool.hasRoom(orders[3] ?? expect.fail())).toBe(true);
  } finally {
    await pool.close();
  }
});

test("chunks that wait when the threads are ended fail", async () => {
  const pool = new ChunkPool(1);
  const coding = [0, 1].map((seed) => {
    const frame = new Melt({ atoms: 5, frames: 1, interval: 1, seed }).frame(0);
    return pool.encode({ groups: groupColumns(frame, RULES, "max"), frames: [orderFrame(frame)], keepRows: false });
  });
  const ended = Promise.allSettled(coding);
  await pool.close();
  expect((await ended).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
});

test("a chunk that a thread cannot code fails, and says why", async () => {
  const pool = new ChunkPool(2);
  try {
    const frame = new Melt({ atoms: 5, frames: 1, interval: 1, seed: 1 }).frame(0);
    const order = { groups: [null as unknown as ColumnGroup], frames: [orderFrame(frame)], keepRows: false };
    expect(pool.hasRoom(order)).toBe(true);
    await expect(pool.encode(order)).rejects.toThrow(/null/);
    // The thread died of it; its place is free.
    for (let again = 0; again < 2; again++) {
      const next = new Melt({ atoms: 5, frames: 1, interval: 1, seed: 1 }).frame(0);
      const whole = { groups: groupColumns(next, RULES, "max"), frames: [orderFrame(next)], keepRows: false };
      expect(pool.hasRoom(whole)).toBe(true);
      await expect(pool.encode(whole)).resolves.toMatchObject({ frames: 1 });
    }
  } finally {
    await pool.close();
  }
});
