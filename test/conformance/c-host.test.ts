import { readFileSync } from "node:fs";
import { decodeFrame, encodeFrame } from "@lockstep/protocol";
import { type Firmware, run } from "qemu-wasm-runner";
import { beforeAll, expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { BOARD_SUPPORT, buildDeviceProgram } from "./c-host-build.ts";
import { RecordedDevice } from "./c-host-recorder.ts";
import { RawCloud } from "./raw-cloud.ts";
import type { RawDeviceOptions } from "./raw-device.ts";

const DEVICE_HEADER = readFileSync(`${BOARD_SUPPORT}/device.h`, "utf8");
const NONCE = 0xdecafbad;
const SIX = { channels: 6, e: 100, frameSamples: 20 };

requires("c-compiler")("a C host beside the host in TypeScript, byte for byte", () => {
  let replay: Firmware;
  beforeAll(async () => {
    replay = await buildDeviceProgram(["c-host-replay.c"]);
  }, 60_000);

  async function expectSameInC(recorded: RecordedDevice): Promise<void> {
    for (const inParts of [false, true]) {
      const { exitCode, output, errorText } = await run(replay, { input: recorded.script(inParts) });
      expect({ inParts, exitCode, errorText }).toEqual({ inParts, exitCode: 0, errorText: "" });
      const answers = recorded.answers();
      const first = answers.findIndex((byte, at) => byte !== output[at]);
      expect({ inParts, first, bytes: output.length }).toEqual({ inParts, first: -1, bytes: answers.length });
    }
  }

  for (const seed of [1, 2, 3, 4, 5]) {
    for (const mtu of [0, 51]) {
      test(`messages and ring are equal over a bad link, mtu ${mtu} (seed ${seed})`, async () => {
        const recorded = new RecordedDevice({ ...SIX, mtu, frameSamples: mtu === 0 ? 20 : 50 });
        const seen = liveThroughFaults(recorded, seed);
        expect(seen.acksWithHoles).toBeGreaterThan(0);
        expect(seen.fragments > 0).toBe(mtu > 0);
        await expectSameInC(recorded);
      });
    }
  }

  for (const [name, options] of Object.entries<RawDeviceOptions>({
    "one channel": { channels: 1, e: 3, frameSamples: 33 },
    "sixteen channels": { channels: 16, e: 1000, frameSamples: 10 },
    "no loss at all": { channels: 2, e: 0, frameSamples: 50 },
    "a lattice that holds, and then does not": { channels: 1, e: 12, lattice: 10, frameSamples: 25 },
    "a given epoch": { channels: 3, e: 10, frameSamples: 40, epoch: 17, nonce: 1 },
    "frames cut short by silence": { channels: 6, e: 100, frameSamples: 60_000, silenceMs: 300 },
    "a ring that overflows": { channels: 6, e: 100, frameSamples: 20, ringBytes: 12_000 },
  })) {
    test(`messages and ring are equal with ${name}`, async () => {
      const recorded = new RecordedDevice(options);
      const cloud = new RawCloud();
      expect(recorded.device.opened).toBe(0);
      recorded.connect();
      settle(recorded, cloud);
      for (let t = 0; t < 1500; t++) {
        recorded.device.nowMs += 10;
        if (t === 200) recorded.disconnect();
        if (t === 1300) recorded.connect();
        recorded.sample(lattice(t, options));
        if (t < 200 || t > 1300) settle(recorded, cloud);
      }
      recorded.flush();
      settle(recorded, cloud);
      recorded.receive(cloud.ackAll());
      recorded.ringImage();
      expect(cloud.badSeals).toBe(0);
      expect(cloud.rows.length).toBeGreaterThan(100);
      await expectSameInC(recorded);
    });
  }

  test("one bit of one sample shows in what the C host answers", async () => {
    const recorded = new RecordedDevice({ channels: 1, e: 0, frameSamples: 10 });
    for (let t = 0; t < 20; t++) recorded.sample([t * t]);
    recorded.ringImage();
    const script = recorded.script().slice();
    script[script.length - 4] = (script[script.length - 4] ?? 0) ^ 1;
    const { exitCode, output } = await run(replay, { input: script });
    expect(exitCode).toBe(0);
    expect(output.equals(recorded.answers())).toBe(false);
    await expectSameInC(recorded);
  });

  test("statuses, quiet stretches, a presence and a refusal are equal", async () => {
    const recorded = new RecordedDevice({ ...SIX, silenceMs: 1_000 });
    const cloud = new RawCloud();
    recorded.connect();
    settle(recorded, cloud);
    recorded.presence(1);
    for (let t = 0; t < 3000; t++) {
      recorded.device.nowMs += 10;
      const isQuiet = t > 900 && t < 2700;
      const statuses = SIX_CHANNELS.map((c) => (c === 2 && t >= 95 && t < 130 ? 1 : c === 4 && t % 97 === 0 ? 2 : 0));
      expect(recorded.sample(isQuiet ? wave(900, 6) : wave(t, 6), isQuiet ? [] : statuses)).toBeGreaterThanOrEqual(0);
      settle(recorded, cloud);
    }
    expect(recorded.sample(wave(1, 6), [9, 0, 0, 0, 0, 0])).toBe(-12);
    expect(cloud.kinds.heartbeat).toBeGreaterThan(0);
    recorded.receive(encodeFrame({ kind: "refusal", nonce: NONCE, reason: "unknown-model" }));
    for (let i = 0; i < 70; i++, recorded.device.nowMs += 500) recorded.poll();
    recorded.presence(0);
    recorded.ringImage();
    await expectSameInC(recorded);
  });

  test("a ring kept through a boot, whole or torn, is adopted alike", async () => {
    const before = new RecordedDevice(SIX);
    const cloud = new RawCloud();
    before.connect();
    settle(before, cloud);
    for (let t = 0; t < 400; t++) {
      before.device.nowMs += 10;
      before.sample(wave(t, 6));
      if (t < 100) settle(before, cloud);
    }
    const image = before.ringImage();
    await expectSameInC(before);
    for (let i = 0; i < 12; i++) {
      const ring = image.slice();
      const at = Math.floor(random(i + 1)() * 2000);
      if (i > 0) ring.fill(0xa5, at, at + 1 + 5 * i);
      const reborn = new RecordedDevice({ ...SIX, ring, nonce: 77 });
      if (reborn.device.opened >= 0) {
        const other = new RawCloud();
        other.epoch = 2;
        reborn.connect();
        for (let n = 0; n < 4; n++, reborn.device.nowMs += 3000) settle(reborn, other);
      }
      reborn.ringImage();
      await expectSameInC(reborn);
    }
  });

  test("the longest messages of a cloud are heard, and DEVICE_INPUT_BYTES is the length of the longest", async () => {
    const recorded = new RecordedDevice(SIX);
    recorded.connect();
    recorded.poll();
    const top = 2 ** 32 - 1;
    const to = { nonce: NONCE, epoch: top } as const;
    const missing = Array.from({ length: 8 }, (_, i) => ({ from: 2 ** 31 + 4096 * i, count: 2048 }));
    const longest = [
      encodeFrame({ kind: "ack", ...to, through: 2 ** 30, missing }),
      encodeFrame({ kind: "resync", ...to, seq: top, reason: "state-mismatch" }),
      encodeFrame({ kind: "refusal", nonce: NONCE, reason: "unknown-model" }),
      encodeFrame({ kind: "welcome", ...to, through: 0, alias: "abcdef", ackAgeMs: 86_400_000, timeUs: 2 ** 53 - 1 }),
    ];
    const answers = longest.map((message) => recorded.receive(message));
    expect(answers.every((status) => status > -100)).toBe(true);
    recorded.ringImage();
    const limit = /^#define DEVICE_INPUT_BYTES (\d+)$/m.exec(DEVICE_HEADER)?.[1];
    expect(Math.max(...longest.map(({ length }) => length))).toBe(Number(limit));
    await expectSameInC(recorded);
  });

  test("ten thousand mutations of what the cloud says are refused alike", async () => {
    const recorded = new RecordedDevice(SIX);
    const cloud = new RawCloud();
    const chance = random(99);
    recorded.connect();
    settle(recorded, cloud);
    for (let t = 0; t < 200; t++) {
      recorded.device.nowMs += 10;
      recorded.sample(wave(t, 6));
      settle(recorded, cloud);
    }
    const victims = [
      encodeFrame({ kind: "ack", nonce: NONCE, epoch: 1, through: 7, missing: [{ from: 8, count: 1 }] }),
      encodeFrame({ kind: "welcome", nonce: NONCE, epoch: 1, through: 5, alias: "abc", ackAgeMs: 1000, timeUs: 9 }),
      encodeFrame({ kind: "resync", nonce: NONCE, epoch: 1, seq: 9, reason: "state-mismatch" }),
      encodeFrame({ kind: "refusal", nonce: NONCE, reason: "unknown-model" }),
    ];
    for (let i = 0; i < 10_000; i++) {
      const victim = victims[i % victims.length]?.slice() ?? new Uint8Array();
      for (let flips = 1 + Math.floor(chance() * 4); flips > 0; flips--) {
        const at = Math.floor(chance() * victim.length);
        victim[at] = (victim[at] ?? 0) ^ (1 << Math.floor(chance() * 8));
      }
      const length = chance() < 0.3 ? Math.floor(chance() * victim.length) : victim.length;
      recorded.receive(victim.subarray(0, length));
    }
    for (const victim of victims) recorded.receive(victim);
    recorded.poll();
    recorded.ringImage();
    await expectSameInC(recorded);
  });
});

const SIX_CHANNELS = [0, 1, 2, 3, 4, 5];

/** Slow waves with small, repeatable noise, shape (channels). */
function wave(t: number, channels: number): number[] {
  return Array.from({ length: channels }, (_, c) => {
    const noise = ((Math.imul(t + 1, 2_654_435_761) ^ Math.imul(c + 1, 40_503)) >>> 8) % 61;
    return Math.round(100_000 * Math.sin(0.05 * t + c)) + noise;
  });
}

/** The waves, on their lattice until sample 700 where one is claimed. */
function lattice(t: number, { channels, lattice: spacing = 1 }: RawDeviceOptions): number[] {
  return wave(t, channels).map((x) => (t < 700 ? spacing * Math.round(x / spacing) : x));
}

/** xorshift: a seeded source of faults. */
function random(seed: number): () => number {
  let state = (seed * 7919) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Exchange until nothing moves. */
function settle(device: RecordedDevice, cloud: RawCloud): void {
  for (let messages = device.poll(); messages.length > 0; messages = device.poll()) {
    for (const { bytes } of messages) for (const answer of cloud.take(bytes)) device.receive(answer);
  }
}

/** Fifteen seconds of loss, reordering, duplication, cuts, resyncs and unasked welcomes, then the ring's image. */
function liveThroughFaults(device: RecordedDevice, seed: number): { acksWithHoles: number; fragments: number } {
  const cloud = new RawCloud();
  const chance = random(seed);
  const inFlight: { at: number; isUp: boolean; bytes: Uint8Array }[] = [];
  const seen = { acksWithHoles: 0, fragments: 0 };
  const post = (isUp: boolean, bytes: Uint8Array) => {
    if (chance() < 0.2) return;
    inFlight.push({ at: device.device.nowMs + Math.floor(chance() * 200), isUp, bytes });
    if (chance() < 0.1) inFlight.push({ at: device.device.nowMs + Math.floor(chance() * 400), isUp, bytes });
  };
  device.connect();
  for (let t = 0; t < 1500; t++) {
    device.device.nowMs += 10;
    if (t % 400 === 399) device.disconnect();
    if (t % 400 === 30 && t > 400) device.connect();
    device.sample(wave(t, 6));
    for (const { bytes } of device.poll()) post(true, bytes);
    if (t % 50 === 0 && cloud.birth) post(false, cloud.ackAll());
    if (t === 700) post(false, cloud.resync(cloud.rows.length));
    if (t === 1100) post(false, welcome());
    for (let i = inFlight.length - 1; i >= 0; i--) {
      const message = inFlight[i];
      if (!message || message.at > device.device.nowMs) continue;
      inFlight.splice(i, 1);
      if (message.isUp) for (const answer of cloud.take(message.bytes)) post(false, answer);
      else {
        const frame = decodeFrame(message.bytes);
        if (device.receive(message.bytes) > 0 && frame.kind === "ack" && frame.missing.length > 0) seen.acksWithHoles++;
      }
    }
  }
  device.ringImage();
  seen.fragments = cloud.kinds.fragment ?? 0;
  return seen;
}

function welcome(): Uint8Array {
  return encodeFrame({ kind: "welcome", nonce: NONCE, epoch: 1, through: 0, alias: "", ackAgeMs: 1000, timeUs: 1 });
}
