import { decodeFrame, isSequenced } from "@lockstep/protocol";
import { expect, test } from "vitest";
import { SeededRandom } from "../test-device.suite.ts";
import { ENCODED_BOUND, EncodedDevice, type EncodedFrame } from "./encoded-device.suite.ts";
import { RowBuffer } from "./row-buffer.ts";
import { Twin } from "./twin.ts";

function twinOf(device: EncodedDevice): { twin: Twin; rows: RowBuffer } {
  const plan = device.plan();
  const rows = new RowBuffer();
  return {
    rows,
    twin: new Twin(device.birth.device, device.epoch, (hash) => (hash === plan.hash ? plan : undefined), rows),
  };
}

const take = (twin: Twin, { frame, bytes }: EncodedFrame) => twin.take(frame, bytes);

test.for([
  ["predicted", false],
  ["on lines", true],
] as const)(
  "a twin that takes every frame in order has every sample within its bound, at its time: %s",
  ([, isSmooth]) => {
    const device = new EncodedDevice(1, { isSmooth });
    let lines = 0;
    const { twin, rows } = twinOf(device);
    let index = 0;
    for (const frame of device.frames(200)) {
      expect(take(twin, frame)).toBe("taken");
      if (frame.frame.kind !== "heartbeat" && frame.frame.hasLines) lines += 1;
      expect(rows.count * rows.channels).toBe(frame.samples.length);
      for (const [i, sample] of frame.samples.entries()) {
        expect(Math.abs((rows.samples[i] ?? Number.NaN) - sample)).toBeLessThanOrEqual(ENCODED_BOUND);
      }
      expect(twin.rowTimeUs(0)).toBe(index * 1_000);
      index += rows.count;
    }
    expect(twin.counts).toEqual({ samples: index, lost: 0, invalid: 0, saturated: 0 });
    expect(lines > 20).toBe(isSmooth);
  },
);

test.for([false, true])(
  "a frame changed in any one bit is never taken and leaves the twin as it was (lines: %s)",
  (isSmooth) => {
    const device = new EncodedDevice(2, { isSmooth });
    const { twin } = twinOf(device);
    const random = new SeededRandom(3);
    let refused = 0;
    for (const encoded of device.frames(60)) {
      for (let trial = 0; trial < 40; trial++) {
        const bytes = encoded.bytes.slice();
        const at = random.below(bytes.length);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
        const before = twin.snapshot();
        try {
          const frame = decodeFrame(bytes);
          if (isSequenced(frame)) expect(twin.take(frame, bytes)).not.toBe("taken");
        } catch (error) {
          expect(error).toHaveProperty("name", "FrameError");
        }
        expect(twin.snapshot()).toEqual(before);
        refused += 1;
      }
      expect(take(twin, encoded)).toBe("taken");
    }
    expect(refused).toBe(2_400);
  },
);

test("a frame at another place of the sequence, of another epoch, or of another device, is not taken", () => {
  const device = new EncodedDevice(4);
  const [first, second, third] = device.frames(3);
  if (first === undefined || second === undefined || third === undefined) throw new RangeError("three frames");
  const { twin } = twinOf(device);
  expect(take(twin, second)).toBe("needs-keyframe");
  expect(take(twin, first)).toBe("taken");
  expect(take(twin, third)).toBe("state-mismatch");
  expect(take(twin, first)).toBe("state-mismatch");
  expect(take(twin, second)).toBe("taken");
  expect(take(twin, third)).toBe("taken");
  const plan = device.plan();
  const other = new Twin(device.birth.device, device.epoch + 1, () => plan, new RowBuffer());
  expect(take(other, first)).toBe("state-mismatch");
  const otherDevice = new Twin("somebody-else", device.epoch, () => plan, new RowBuffer());
  expect(take(otherDevice, first)).toBe("state-mismatch");
});

test("a keyframe of a birth that has not come waits for it", () => {
  const device = new EncodedDevice(5);
  const plan = device.plan();
  let known = false;
  const twin = new Twin(device.birth.device, device.epoch, () => (known ? plan : undefined), new RowBuffer());
  const keyframe = device.keyframe();
  expect(take(twin, keyframe)).toBe("unknown-birth");
  known = true;
  expect(take(twin, keyframe)).toBe("taken");
});

test("a twin restored from a snapshot goes on bit for bit like the one that made it", () => {
  const device = new EncodedDevice(6);
  const live = twinOf(device);
  const frames = device.frames(120);
  for (const at of [1, 17, 60, 119]) {
    while (live.twin.next < at) take(live.twin, frames[live.twin.next] ?? device.keyframe());
    const restored = twinOf(device);
    expect(restored.twin.restore(live.twin.snapshot() ?? new Uint8Array(0), live.twin.next)).toBe(true);
    for (const frame of frames.slice(at)) expect(take(restored.twin, frame)).toBe("taken");
    const straight = twinOf(device);
    for (const frame of frames) take(straight.twin, frame);
    expect(restored.twin.snapshot()).toEqual(straight.twin.snapshot());
    expect(restored.twin.counts).toEqual(straight.twin.counts);
  }
});

test("a snapshot of another layout is not restored", () => {
  const device = new EncodedDevice(7);
  const { twin } = twinOf(device);
  take(twin, device.keyframe());
  const snapshot = twin.snapshot() ?? new Uint8Array(0);
  for (const wrong of [new Uint8Array(0), snapshot.with(0, 99), snapshot.slice(0, -4)]) {
    expect(twinOf(device).twin.restore(wrong, 1)).toBe(false);
  }
});

test("running ahead gives what a quiet device would have sent, and does not move the twin", () => {
  const device = new EncodedDevice(8);
  const { twin, rows } = twinOf(device);
  for (const frame of device.frames(20)) take(twin, frame);
  const before = twin.snapshot();
  const ahead = new RowBuffer();
  expect(twin.extrapolate(3, ahead)).toBe(true);
  expect(twin.extrapolate(5, ahead)).toBe(true);
  const fifth = [...ahead.samples.slice((ahead.count - 1) * 2, ahead.count * 2)];
  expect(twin.snapshot()).toEqual(before);
  const quiet = device.heartbeat();
  expect(take(twin, quiet)).toBe("taken");
  expect(rows.count).toBeGreaterThanOrEqual(5);
  expect([...rows.samples.slice(8, 10)]).toEqual(fifth);
});

test("the steps that lead to an extrapolated sample are those of one that was run ahead bit by bit", () => {
  const device = new EncodedDevice(8);
  const { twin } = twinOf(device);
  take(twin, device.keyframe());
  for (let i = 0; i < 5; i++) take(twin, device.residual());
  const [last, steps] = [new RowBuffer(), new RowBuffer()];
  const single: number[][] = [];
  for (let count = 1; count <= 6; count++) {
    expect(twin.extrapolate(count, last)).toBe(true);
    expect(last.count).toBe(1);
    single.push([...last.samples.slice(0, 2)]);
  }
  expect(twin.extrapolate(6, steps, 100)).toBe(true);
  expect(Array.from({ length: steps.count }, (_, row) => [...steps.samples.slice(2 * row, 2 * row + 2)])).toEqual(
    single,
  );
  expect(twin.extrapolate(7, steps, 3)).toBe(true);
  expect(steps.count).toBe(3);
  expect([...steps.samples.slice(2, 4)]).toEqual(single[5]);
});

test("a frame of more samples than its birth allows is refused unread", () => {
  const device = new EncodedDevice(9);
  const { twin } = twinOf(device);
  take(twin, device.keyframe());
  const { frame, bytes } = device.residual();
  if (frame.kind !== "residual") throw new RangeError(frame.kind);
  expect(twin.take({ ...frame, samples: device.birth.frameSamples + 1 }, bytes)).toBe("implausible");
});
