import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { CloudNode, type LinkKeys, openHistory, SILENT_LOGGER, systemClock } from "@lockstep/cloud-node";
import { SerialLine, systemRandom } from "@lockstep/edge-sdk";
import { rotorTwinSignal } from "@lockstep/sim";
import { elfProgram, type FirmwarePort, openPort } from "qemu-wasm-runner";
import { afterEach, beforeEach, expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { copyExample, makeExample } from "./firmware-made.ts";

/** The rotor in firmware with a link key, on a serial line to a node that takes nothing without its MAC. */
const DEVICE = "rotor-twin";
const BOARD = "mps2-an386";
const KEY = Uint8Array.from({ length: 32 }, (_, i) => 255 - 7 * i);
const CHANNELS = 6;
const EPS = 32 * 2 ** -15;
const ENOUGH_SAMPLES = 800;
/** 2 % above what it is: the module, sealed-link.c, and what calls it. */
const MOST_FLASH_BYTES = 2_660;
const clock = systemClock();

let folder = "";
let example = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-sealed-"));
  example = copyExample(folder, DEVICE);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Keys of one device. */
function keysOf(key: Uint8Array): LinkKeys {
  const ofDevice = <T>(id: string, value: T) => (id === DEVICE ? value : undefined);
  const macKeyOf = (id: string) => ofDevice(id, key);
  const grantOf = (id: string) => ofDevice(id, DEVICE);
  return { isOpen: false, grantOf, mayUseJobs: () => false, macKeyOf, devices: () => [DEVICE] };
}

function openNode(linkKeys: LinkKeys): Promise<CloudNode> {
  const storeFile = join(folder, "node.db");
  const acks = { everyFrames: 2, ageMs: 200 };
  return CloudNode.openWith({ storeFile, broker: null, acks, logger: SILENT_LOGGER, clock }, { linkKeys });
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
}

requires("gcc-arm-none-eabi", "qemu-system-arm")("firmware-examples/rotor-twin with a link key", () => {
  test("is heard by a node that demands its MAC, before and after the node restarts, and by no other", async () => {
    const hex = Buffer.from(KEY).toString("hex");
    const { file } = makeExample(example, BOARD, [`LINK_KEY=${hex}`, "DEFINES=-DRATE_HZ=500"]);
    const port = await openPort(elfProgram(file, BOARD));
    const line = (node: CloudNode) => {
      const end = new SerialLine({ openPort: async () => sharedLine(port), clock, random: systemRandom() });
      return node.attachLine("qemu", end);
    };
    try {
      const other = await openNode(keysOf(new Uint8Array(32)));
      let detach = line(other);
      await until(() => (other.counters()["refused.bad-mac"] ?? 0) > 0);
      expect(other.devices()).toEqual([]);
      await detach();
      await other.close();
      const node = await openNode(keysOf(KEY));
      detach = line(node);
      await until(() => (node.device(DEVICE)?.confirmed.samples ?? 0) >= ENOUGH_SAMPLES);
      expect(node.device(DEVICE)).toMatchObject({ conflicts: 0, lost: { samples: 0 } });
      const { epoch = 0, confirmed } = node.device(DEVICE) ?? {};
      await detach();
      await node.close();
      const again = await openNode(keysOf(KEY));
      detach = line(again);
      const wanted = (confirmed?.samples ?? 0) + ENOUGH_SAMPLES;
      await until(() => (again.device(DEVICE)?.confirmed.samples ?? 0) >= wanted);
      // In mid-sentence: known by a status of its boot, not by another birth.
      expect(again.device(DEVICE)?.epoch).toBe(epoch);
      await detach();
      await again.close();
    } finally {
      const pid = port.port?.link.pid;
      if (pid !== undefined) process.kill(pid, "SIGKILL");
    }
    await expectTruth();
  }, 150_000);

  test("takes little flash for it, and none without", () => {
    const plain = makeExample(example, BOARD);
    const sealed = makeExample(example, BOARD, [`LINK_KEY=${"00".repeat(32)}`]);
    const flash = sealed.sectionBytes - plain.sectionBytes;
    expect(plain.sizes.has("mac")).toBe(false);
    expect(sealed.sizes.get("mac")?.flash).toBeGreaterThan(2_000);
    expect(flash).toBeGreaterThan(2_000);
    expect(flash).toBeLessThanOrEqual(MOST_FLASH_BYTES);
  }, 60_000);
});

/** A port that outlives whoever has it open: the board runs on. */
function sharedLine(port: FirmwarePort): Duplex {
  const hear = (chunk: Buffer) => void line.push(chunk);
  const line = new Duplex({
    read() {},
    write: (chunk: Buffer, _encoding, done) => {
      port.write(chunk);
      done();
    },
    destroy: (error, done) => {
      port.off("data", hear);
      done(error);
    },
  });
  port.on("data", hear);
  return line;
}

/** Every sample that is stored is the rotor's, within its bound. */
async function expectTruth(): Promise<void> {
  const history = await openHistory(join(folder, "node.db"));
  let stored = 0;
  try {
    const reader = rotorTwinSignal(500).read();
    const measured = new Float64Array(CHANNELS);
    for (const { values } of history.samples(DEVICE)) {
      reader.next(measured);
      for (const [c, x] of measured.entries()) {
        expect(Math.abs((values[c] ?? Number.NaN) - x)).toBeLessThanOrEqual(EPS);
      }
      stored += 1;
    }
  } finally {
    history.close();
  }
  expect(stored).toBeGreaterThanOrEqual(2 * ENOUGH_SAMPLES);
}
