import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { decodeFrame, encodeFrame, encodeSerialFrame, type Frame, SerialDeframer } from "@lockstep/protocol";
import { build, run } from "qemu-wasm-runner";
import { beforeAll, expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { BOARD_SUPPORT, CACHE_FOLDER, STRICT } from "./c-host-build.ts";
import { RawCloud } from "./raw-cloud.ts";
import { DEVICE_WASM } from "./raw-device.ts";

/** Of `long-run.c`. */
const PERIOD_US = 60_000_000;
const FRAME_SAMPLES = 100;
const NONCE = 7;
/** A clock of 32 bits that counts milliseconds wraps once; the device runs for two days more. */
const WRAP_US = 2 ** 32 * 1000;
const SAMPLES = Math.ceil(WRAP_US / PERIOD_US) + 2 * 1440;
const START_US = 1_700_000_000_000_000;
const RESYNC_FRAMES = 50;
const VIRTUAL = ["listen", "read_now", "write", "wait", "now_ms", "unix_us", "nonce"];

/** Run the device for so many samples, each of which takes so long. */
async function runDevice(samples: number, lateMs: number): Promise<{ exitCode: number | null; output: Buffer }> {
  const sources = ["serial-device.c", "serial-framing.c", "device.c", "store-none.c"];
  const program = {
    sources: [
      fileURLToPath(new URL("long-run.c", import.meta.url)),
      ...sources.map((name) => `${BOARD_SUPPORT}/${name}`),
    ],
    includes: [BOARD_SUPPORT, fileURLToPath(new URL("../../edge-sdk/include", import.meta.url))],
    flags: [
      ...STRICT,
      `-DSAMPLES=${samples}u`,
      `-DLATE_MS=${lateMs}u`,
      `-DSTART_US=${START_US}LL`,
      ...VIRTUAL.map((name) => `-Dboard_${name}=virtual_${name}`),
    ],
  };
  const host = await build(readFileSync(DEVICE_WASM), { board: "host", cacheFolder: CACHE_FOLDER, program });
  return run(host, { input: answers(), timeoutMs: 50_000 });
}

requires("c-compiler")("a device on a serial line whose samples take longer than their period", () => {
  test("is never at rest, and still sends every frame and hears every answer", async () => {
    const { exitCode, output } = await runDevice(3000, (2 * PERIOD_US) / 1000);
    expect(exitCode).toBe(0);
    const cloud = new RawCloud();
    for (const bytes of new SerialDeframer().push(output)) cloud.take(bytes);
    expect(cloud.gaps).toEqual([]);
    expect(cloud.rows.length).toBeGreaterThan(3000 - 2 * FRAME_SAMPLES);
  }, 60_000);
});

requires("c-compiler")("a device on a serial line that runs longer than its board's clock counts", () => {
  const cloud = new RawCloud();
  const frames: Frame[] = [];

  beforeAll(async () => {
    const { exitCode, output } = await runDevice(SAMPLES, 0);
    expect(exitCode).toBe(0);
    for (const bytes of new SerialDeframer().push(output)) {
      frames.push(decodeFrame(bytes));
      cloud.take(bytes);
    }
  }, 60_000);

  test("delivers every sample, none of its messages in the time of a sample", () => {
    expect(cloud.badSeals).toBe(0);
    expect(cloud.gaps).toEqual([]);
    expect(cloud.rows.length).toBeGreaterThan(SAMPLES - 2 * FRAME_SAMPLES);
  });

  test("its keyframes say when their first sample was taken, before the clock's wrap and after", () => {
    let taken = 0;
    const said: number[] = [];
    for (const frame of frames) {
      if (frame.kind !== "keyframe" && frame.kind !== "residual") continue;
      if (frame.kind === "keyframe") {
        expect(frame.timeUs).toBe(START_US + taken * PERIOD_US);
        said.push(frame.timeUs);
      }
      taken += frame.samples || FRAME_SAMPLES; // 0 stands for that; noise is never quiet
    }
    expect(said.filter((timeUs) => timeUs < START_US + WRAP_US).length).toBeGreaterThan(5);
    expect(said.filter((timeUs) => timeUs > START_US + WRAP_US).length).toBeGreaterThan(0);
  });

  test("the time of what it says unasked never goes back, nor further than its samples", () => {
    let last = START_US;
    const said = frames.flatMap((frame) => (frame.kind === "status" ? [frame.timeUs] : []));
    for (const timeUs of said) {
      expect(timeUs).toBeGreaterThanOrEqual(last);
      last = timeUs;
    }
    expect(said.length).toBeGreaterThan(100);
    expect(last).toBeGreaterThan(START_US + WRAP_US);
    expect(last).toBeLessThanOrEqual(START_US + SAMPLES * PERIOD_US);
  });
});

/** A welcome, an acknowledgement of each frame, and now and then a wish for a keyframe. */
function answers(): Uint8Array {
  const to = { nonce: NONCE, epoch: 1 } as const;
  const acks = Array.from({ length: Math.ceil(SAMPLES / FRAME_SAMPLES) + 1 }, (_, i) => [
    encodeFrame({ kind: "ack", ...to, through: i + 1, missing: [] }),
    ...(i % RESYNC_FRAMES === 1 ? [encodeFrame({ kind: "resync", ...to, seq: i, reason: "state-mismatch" })] : []),
  ]).flat();
  const welcome = encodeFrame({ kind: "welcome", ...to, through: 0, alias: "", ackAgeMs: 1000, timeUs: 1 });
  return Buffer.concat([welcome, ...acks].map(encodeSerialFrame));
}
