/** A small run of a node with two devices, in a process whose disk is written down. Started by `recordRun`. */
import { DatabaseSync } from "node:sqlite";
import { seededRandom } from "@lockstep/sim";
import { LIMIT_MS, TestBed, type TestDevice } from "../test-bed.ts";
import {
  BOOT_SAMPLES,
  POWER_DEVICES,
  POWER_FRAME_SAMPLES,
  type PowerRunOrder,
  RING_BYTES,
  ringOf,
} from "./power-run-order.ts";

const order = JSON.parse(process.argv[2] ?? "") as PowerRunOrder;
const random = seededRandom(order.seed).fork("power run");
const bed = new TestBed(order.seed, random, order.folder);

/** What SQLite does by itself once a thousand pages wait: here every few rounds, so that a small run has all of it. */
function checkpoint(): void {
  const database = new DatabaseSync(bed.storeFile);
  database.exec("PRAGMA wal_checkpoint(PASSIVE)");
  database.close();
}

async function boot(at: number, boots: number): Promise<TestDevice> {
  const { id, index } = POWER_DEVICES[at] ?? { id: "", index: 0 };
  return bed.device(id, bed.loopback().transport, {
    index,
    firstSample: boots * BOOT_SAMPLES,
    frameSamples: POWER_FRAME_SAMPLES,
    ringFile: ringOf(bed.folder, id),
    isRingSynced: true,
    ringBytes: RING_BYTES,
  });
}

/** Rounds of samples, each waited for until all of it is confirmed, or all but a few frames. */
async function rounds(devices: readonly TestDevice[], count: number): Promise<void> {
  for (let round = 0; round < count; round += 1) {
    for (const device of devices) device.take(1 + Math.floor(8 * POWER_FRAME_SAMPLES * random.uniform()));
    const left = Math.floor(4 * random.uniform());
    await Promise.all(devices.map(({ session }) => session.settled(left, LIMIT_MS)));
    if (round % 3 === 2) checkpoint();
  }
}

async function main(): Promise<void> {
  await bed.startNode();
  const first = await Promise.all(POWER_DEVICES.map((_, at) => boot(at, 0)));
  await rounds(first, order.rounds);
  // One device loses power, with what is in its ring.
  await first[0]?.session.destroy();
  const second = [await boot(0, 1), ...first.slice(1)];
  await rounds(second, order.rounds);
  for (const { session } of second) await session.destroy();
  // A node that ends moves its log into the file and removes it; the next one begins a new one.
  await bed.node.close();
  await bed.startNode();
  const third = await Promise.all(POWER_DEVICES.map((_, at) => boot(at, 2)));
  await rounds(third, order.rounds);
  for (const { session } of third) await session.destroy();
  await bed.node.close();
  bed.journal.close();
}

await main();
