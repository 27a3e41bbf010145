import { decodeFrame, encodeFrame, murmur3 } from "@lockstep/protocol";
import { describe, expect, test } from "vitest";
import { kindsOf, RawCloud } from "./raw-cloud.ts";
import { RawDevice, type RawDeviceOptions } from "./raw-device.ts";

const E = 100;
const NONCE = 0xdecafbad;

/** Six channels of a slow wave with small, repeatable noise. */
function wave(t: number, channels = 6): number[] {
  return Array.from({ length: channels }, (_, c) => {
    const noise = ((Math.imul(t + 1, 2_654_435_761) ^ Math.imul(c + 1, 40_503)) >>> 8) % 61;
    return Math.round(100_000 * Math.sin(0.05 * t + c)) + noise;
  });
}

/** xorshift: a seeded source for link faults. */
function random(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function pair(options: Partial<RawDeviceOptions> = {}): { device: RawDevice; cloud: RawCloud } {
  const device = new RawDevice({ channels: 6, e: E, frameSamples: 20, ...options });
  expect(device.opened).toBe(0);
  return { device, cloud: new RawCloud() };
}

/** Exchange until nothing moves. */
function settle(device: RawDevice, cloud: RawCloud): void {
  for (let messages = device.poll(); messages.length; messages = device.poll()) {
    for (const { bytes } of messages) for (const answer of cloud.take(bytes)) device.receive(answer);
  }
}

function connect(device: RawDevice, cloud: RawCloud): void {
  device.core.linkConnected(device.nowMs);
  settle(device, cloud);
  expect(device.view.state).toBe(2);
}

function run(device: RawDevice, from: number, through: number, each: () => void = () => {}): void {
  for (let t = from; t < through; t++) {
    device.nowMs += 10;
    expect(device.sample(wave(t))).toBeGreaterThanOrEqual(0);
    each();
  }
}

function expectRows(cloud: RawCloud, from: number, through: number, at = 0): void {
  for (let t = from; t < through; t++) {
    const row = cloud.rows[at + t - from];
    expect(row, `row ${t}`).toBeDefined();
    wave(t, row?.samples.length).forEach((x, c) => {
      expect(Math.abs((row?.samples[c] ?? Number.NaN) - x)).toBeLessThanOrEqual(E);
    });
  }
}

describe("a clean link", () => {
  test("every sample of a closed frame arrives within the bound, sealed and in order", () => {
    const { device, cloud } = pair();
    connect(device, cloud);
    run(device, 0, 1000, () => settle(device, cloud));
    expect(cloud.rows).toHaveLength(1000);
    expectRows(cloud, 0, 1000);
    expect(cloud.badSeals).toBe(0);
    expect(cloud.kinds.keyframe).toBe(1);
  });

  test("frames wait in the ring until an epoch is granted, and then carry it", () => {
    const { device, cloud } = pair();
    run(device, 0, 100);
    expect(device.poll()).toEqual([]);
    cloud.epoch = 41;
    connect(device, cloud);
    expect(cloud.rows).toHaveLength(100);
    expect(cloud.rows.every(({ epoch }) => epoch === 41)).toBe(true);
  });

  test("confirmed frames leave the ring, the others stay", () => {
    const { device, cloud } = pair();
    connect(device, cloud);
    run(device, 0, 100, () => settle(device, cloud));
    expect(device.view.unconfirmedFrames).toBe(5);
    device.receive(encodeFrame({ kind: "ack", nonce: NONCE, epoch: 1, through: 3, missing: [] }));
    expect(device.view.unconfirmedFrames).toBe(2);
    expect(device.view.oldestSeq).toBe(3);
  });

  test("a birth is repeated after 1, 2, 4 … 30 seconds until it is welcomed", () => {
    const { device } = pair();
    device.core.linkConnected(0);
    const sent: number[] = [];
    for (; device.nowMs < 100_000; device.nowMs += 500) if (device.poll().length) sent.push(device.nowMs / 1000);
    expect(sent).toEqual([0, 1, 3, 7, 15, 31, 61, 91]);
  });
});

describe("patience", () => {
  test("a device asks when an ack is a second later than the cloud said it may be, then ever more rarely", () => {
    const { device } = pair();
    device.core.linkConnected(0);
    device.poll();
    const welcome = { nonce: NONCE, epoch: 1, through: 0, alias: "", ackAgeMs: 9_000, timeUs: 1 };
    device.receive(encodeFrame({ kind: "welcome", ...welcome }));
    run(device, 0, 20);
    const asked: number[] = [];
    const sentAt = device.nowMs;
    for (; device.nowMs < sentAt + 140_000; device.nowMs += 500) {
      if (kindsOf(device.poll()).includes("status")) asked.push((device.nowMs - sentAt) / 1000);
    }
    expect(asked).toEqual([10, 30, 70, 110]);
  });

  test("a flush asks for an ack of everything, once", () => {
    const { device, cloud } = pair();
    connect(device, cloud);
    run(device, 0, 30, () => settle(device, cloud));
    device.core.linkFlush(0n, device.nowMs);
    expect(kindsOf(device.poll())).toEqual(["status", "residual"]);
    expect(device.poll()).toEqual([]);
  });
});

describe("silence", () => {
  test("a constant costs nothing but heartbeats, which confirm the quiet samples", () => {
    const { device, cloud } = pair();
    connect(device, cloud);
    for (let t = 0; t < 5000; t++) {
      device.nowMs += 10;
      device.sample([5, 4, 3, 2, 1, 0]);
      settle(device, cloud);
    }
    expect(cloud.kinds.keyframe).toBe(1);
    expect(cloud.kinds.residual).toBeUndefined();
    expect(cloud.kinds.heartbeat).toBe(9);
    device.core.linkFlush(BigInt(device.nowMs) * 1000n, device.nowMs);
    settle(device, cloud);
    expect(cloud.rows).toHaveLength(5000);
    [5, 4, 3, 2, 1, 0].forEach((x, c) => {
      expect(Math.abs((cloud.rows.at(-1)?.samples[c] ?? Number.NaN) - x)).toBeLessThanOrEqual(E);
    });
  });

  test("a slow signal's frame is closed when silence would grow too long", () => {
    const { device, cloud } = pair({ frameSamples: 60_000, silenceMs: 300 });
    connect(device, cloud);
    run(device, 0, 100, () => settle(device, cloud));
    expect(cloud.rows.length).toBeGreaterThanOrEqual(60);
    expectRows(cloud, 0, cloud.rows.length);
  });
});

describe("faults on the link", () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    test(`loss, reordering and duplication in both directions lose nothing (seed ${seed})`, () => {
      const { device, cloud } = pair();
      const chance = random(seed * 7919);
      connect(device, cloud);
      const inFlight: { at: number; isUp: boolean; bytes: Uint8Array }[] = [];
      const post = (isUp: boolean, bytes: Uint8Array) => {
        if (chance() < 0.2) return;
        inFlight.push({ at: device.nowMs + Math.floor(chance() * 200), isUp, bytes });
        if (chance() < 0.1) inFlight.push({ at: device.nowMs + Math.floor(chance() * 400), isUp, bytes });
      };
      const step = () => {
        for (const { bytes } of device.poll()) post(true, bytes);
        for (let i = inFlight.length - 1; i >= 0; i--) {
          const message = inFlight[i];
          if (!message || message.at > device.nowMs) continue;
          inFlight.splice(i, 1);
          if (message.isUp) for (const answer of cloud.take(message.bytes)) post(false, answer);
          else device.receive(message.bytes);
        }
        if (device.nowMs % 500 === 0) post(false, cloud.ackAll());
      };
      run(device, 0, 2000, step);
      for (let i = 0; i < 20_000 && device.view.unconfirmedFrames > 0; i++, device.nowMs += 10) step();
      expect(device.view.unconfirmedFrames).toBe(0);
      expect(cloud.gaps).toEqual([]);
      expect(cloud.rows).toHaveLength(2000);
      expectRows(cloud, 0, 2000);
    });
  }

  test("an overflowing ring drops whole segments, declares them, and goes on with a keyframe", () => {
    const { device, cloud } = pair({ ringBytes: 12_000 });
    connect(device, cloud);
    run(device, 0, 40, () => settle(device, cloud));
    device.core.linkDisconnected();
    run(device, 40, 20_000);
    expect(device.view.evictedSamples).toBeGreaterThan(0);
    connect(device, cloud);
    // The pace is one frame a millisecond after the first burst.
    for (let i = 0; i < 50; i++, device.nowMs += 100) settle(device, cloud);
    expect(cloud.gaps).toHaveLength(1);
    expect(cloud.badSeals).toBe(0);
    const kept = cloud.rows.length - 40;
    expect(kept).toBeGreaterThan(1000);
    expectRows(cloud, 20_000 - kept, 20_000, 40);
  });

  test("a resync starts one new segment, however often it is repeated", () => {
    const { device, cloud } = pair();
    connect(device, cloud);
    run(device, 0, 50, () => settle(device, cloud));
    const resync = cloud.resync(2);
    device.receive(resync);
    device.receive(resync);
    run(device, 50, 90, () => settle(device, cloud));
    device.receive(resync);
    run(device, 90, 200, () => settle(device, cloud));
    expect(cloud.kinds.keyframe).toBe(2);
    expect(cloud.badSeals).toBe(0);
  });

  test("an unasked welcome makes the device send again from where the cloud stands", () => {
    const { device, cloud } = pair();
    connect(device, cloud);
    run(device, 0, 100);
    expect(device.poll()).toHaveLength(5);
    expect(device.poll()).toHaveLength(0);
    device.receive(
      encodeFrame({ kind: "welcome", nonce: NONCE, epoch: 1, through: 0, alias: "", ackAgeMs: 1000, timeUs: 1 }),
    );
    settle(device, cloud);
    expect(cloud.rows).toHaveLength(100);
  });
});

describe("an MTU of 51 bytes", () => {
  test("six channels pass, births and keyframes in fragments, residuals mostly whole", () => {
    const { device, cloud } = pair({ mtu: 51, frameSamples: 50 });
    connect(device, cloud);
    run(device, 0, 1000, () => {
      for (const { bytes } of device.poll()) {
        expect(bytes.length).toBeLessThanOrEqual(51);
        for (const answer of cloud.take(bytes)) device.receive(answer);
      }
    });
    device.core.linkFlush(0n, device.nowMs);
    settle(device, cloud);
    expect(cloud.rows).toHaveLength(1000);
    expectRows(cloud, 0, 1000);
    expect(cloud.kinds.fragment).toBeGreaterThan(3);
    expect(cloud.kinds.residual).toBeGreaterThan(20);
  });
});

describe("a slow link", () => {
  test("a birth in fragments is repeated only when its last fragment has gone unanswered for the whole wait", () => {
    const { device, cloud } = pair({ mtu: 51 });
    device.core.linkConnected(0);
    const answers: Uint8Array[] = [];
    let fragments = 0;
    for (; cloud.birth === undefined; device.nowMs += 700) {
      const sent = device.poll(1);
      fragments += sent.length;
      for (const { bytes } of sent) answers.push(...cloud.take(bytes));
      expect(fragments).toBeLessThan(100);
    }
    expect(device.nowMs).toBeGreaterThan(2_000);
    // Nothing more goes out until the welcome, which took as long as a fragment.
    expect(device.poll()).toEqual([]);
    for (const answer of answers) device.receive(answer);
    expect(device.view.state).toBe(2);
  });

  test("a birth in fragments that nobody answers waits 1, 2, 4 … seconds after its last fragment", () => {
    const { device } = pair({ mtu: 51 });
    device.core.linkConnected(0);
    const bursts: { first: number; last: number }[] = [];
    let previous = Number.NEGATIVE_INFINITY;
    for (; device.nowMs < 60_000; device.nowMs += 100) {
      if (device.poll(1).length === 0) continue;
      if (device.nowMs - previous > 100) bursts.push({ first: device.nowMs, last: device.nowMs });
      const burst = bursts.at(-1);
      if (burst !== undefined) burst.last = device.nowMs;
      previous = device.nowMs;
    }
    const waits = bursts.slice(1).map(({ first }, i) => first - (bursts[i]?.last ?? 0));
    expect(waits.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
  });
});

describe("statuses", () => {
  test("invalid and saturated samples are flagged one by one, the others keep their bound", () => {
    const { device, cloud } = pair();
    connect(device, cloud);
    const statusOf = (t: number, c: number) => (c === 2 && t >= 95 && t < 130 ? 1 : c === 4 && t % 97 === 0 ? 2 : 0);
    for (let t = 0; t < 400; t++) {
      device.nowMs += 10;
      const statuses = [0, 1, 2, 3, 4, 5].map((c) => statusOf(t, c));
      expect(device.sample(wave(t), statuses)).toBeGreaterThanOrEqual(0);
      settle(device, cloud);
    }
    device.core.linkFlush(0n, device.nowMs);
    settle(device, cloud);
    expect(cloud.rows).toHaveLength(400);
    cloud.rows.forEach(({ samples, statuses }, t) => {
      expect(statuses).toEqual([0, 1, 2, 3, 4, 5].map((c) => statusOf(t, c)));
      wave(t).forEach((x, c) => {
        if (statuses[c] === 0) expect(Math.abs((samples[c] ?? Number.NaN) - x)).toBeLessThanOrEqual(E);
      });
    });
  });

  test.for([
    ["in a later frame", 300],
    ["while the first keyframe is still open", 3],
  ] as const)("a sample off its lattice %s costs a keyframe, never the bound", ([, first]) => {
    const { device, cloud } = pair({ channels: 1, e: 12, lattice: 10 });
    connect(device, cloud);
    const at = (t: number) => (t < first ? 10 * ((t * t) % 83) : 7 * ((t * t) % 83));
    for (let t = 0; t < first + 300; t++) {
      device.nowMs += 10;
      device.sample([at(t)]);
      settle(device, cloud);
    }
    expect(cloud.kinds.keyframe).toBe(2);
    expect(cloud.rows).toHaveLength(first + 300);
    cloud.rows.forEach(({ samples }, t) => {
      expect(Math.abs((samples[0] ?? Number.NaN) - at(t))).toBeLessThanOrEqual(12);
    });
  });
});

describe("a ring kept through a boot", () => {
  test("frames of the boot before are delivered under their own epoch, then the new ones", () => {
    const { device, cloud } = pair();
    connect(device, cloud);
    run(device, 0, 60, () => settle(device, cloud));
    device.receive(cloud.ackAll());
    run(device, 60, 400);
    const reborn = new RawDevice({ channels: 6, e: E, frameSamples: 20, ring: device.ringImage(), nonce: 77 });
    expect(reborn.opened).toBe(17);
    run(reborn, 400, 500);
    connect(reborn, cloud);
    for (let i = 0; i < 10 && reborn.view.unconfirmedFrames > 0; i++) {
      reborn.nowMs += 3000;
      settle(reborn, cloud);
      reborn.receive(cloud.ackAll());
    }
    expect(reborn.view.unconfirmedFrames).toBe(0);
    expect(cloud.rows).toHaveLength(500);
    expectRows(cloud, 0, 500);
    expect(cloud.rows.at(-1)?.epoch).toBe(2);
    expect(cloud.rows[399]?.epoch).toBe(1);
    expect(cloud.badSeals).toBe(0);
  });

  test("boots that were never welcomed share one epoch, however many they were, and all arrives", () => {
    let device = pair({ ringBytes: 24_000 }).device;
    const cloud = new RawCloud();
    connect(device, cloud);
    run(device, 0, 40, () => settle(device, cloud));
    for (let boot = 1; boot <= 20; boot++) {
      const ring = device.ringImage();
      device = new RawDevice({ channels: 6, e: E, frameSamples: 20, ringBytes: 24_000, ring, nonce: 100 + boot });
      expect(device.opened).toBeGreaterThan(0);
      device.core.linkConnected(device.nowMs);
      device.nowMs += 6_000;
      expect(kindsOf(device.poll())).toEqual(["birth"]);
      device.core.linkDisconnected();
      run(device, 40 * boot, 40 * boot + 40);
    }
    cloud.epoch = 2;
    connect(device, cloud);
    for (let i = 0; i < 10 && device.view.unconfirmedFrames > 0; i++, device.nowMs += 3_000) {
      settle(device, cloud);
      device.receive(cloud.ackAll());
    }
    expect(device.view.unconfirmedFrames).toBe(0);
    expect(cloud.badSeals).toBe(0);
    expect(cloud.gaps).toEqual([]);
    expect([...new Set(cloud.rows.map(({ epoch }) => epoch))]).toEqual([1, 2]);
    expect(cloud.rows).toHaveLength(840);
    expectRows(cloud, 0, 840);
  });

  test("a restored device that takes no sample keeps silent: it has no state to vouch for", () => {
    const { device } = pair();
    run(device, 0, 100);
    const reborn = new RawDevice({ channels: 6, e: E, frameSamples: 20, ring: device.ringImage(), nonce: 77 });
    const cloud = new RawCloud();
    connect(reborn, cloud);
    for (let i = 0; i < 20; i++, reborn.nowMs += 1_000) settle(reborn, cloud);
    expect(cloud.rows).toHaveLength(100);
    expect(cloud.badSeals).toBe(0);
    expect(cloud.kinds.heartbeat).toBeUndefined();
  });

  test("a torn header or record loses at most what was torn, and never passes for something else", () => {
    const { device, cloud } = pair();
    connect(device, cloud);
    run(device, 0, 400);
    const image = device.ringImage();
    for (let i = 0; i < 400; i++) {
      const torn = image.slice();
      const at = Math.floor(random(i + 1)() * 2000);
      torn.fill(0xa5, at, at + 1 + (i % 64));
      const reborn = new RawDevice({ channels: 6, e: E, frameSamples: 20, ring: torn, nonce: 77 });
      if (reborn.opened < 0) continue;
      const other = Object.assign(new RawCloud(), { epoch: 2 });
      reborn.core.linkConnected(0);
      for (let n = 0; n < 4; n++, reborn.nowMs += 3000) settle(reborn, other);
      expect(other.badSeals).toBe(0);
      expect(other.rows.length % 20).toBe(0);
    }
  });

  test("a ring of another configuration is refused, one of another size is empty", () => {
    const { device, cloud } = pair();
    connect(device, cloud);
    run(device, 0, 100);
    const reopen = (e: number, ring: Uint8Array) => new RawDevice({ channels: 6, e, frameSamples: 20, ring }).opened;
    expect([reopen(E + 1, device.ringImage()), reopen(E, new Uint8Array(16_384))]).toEqual([-37, -36]);
  });
});

describe("hostile downlink", () => {
  test("no mutation of an ack, welcome, resync or refusal takes effect", () => {
    const { device, cloud } = pair();
    connect(device, cloud);
    run(device, 0, 200, () => settle(device, cloud));
    const chance = random(99);
    const victims = [
      encodeFrame({ kind: "ack", nonce: NONCE, epoch: 1, through: 7, missing: [{ from: 8, count: 1 }] }),
      encodeFrame({ kind: "welcome", nonce: NONCE, epoch: 1, through: 5, alias: "abc", ackAgeMs: 1000, timeUs: 9 }),
      encodeFrame({ kind: "resync", nonce: NONCE, epoch: 1, seq: 9, reason: "state-mismatch" }),
      encodeFrame({ kind: "refusal", nonce: NONCE, reason: "unknown-model" }),
    ];
    const before = device.ringImage();
    for (let i = 0; i < 10_000; i++) {
      const victim = victims[i % victims.length]?.slice() ?? new Uint8Array();
      const flips = 1 + Math.floor(chance() * 4);
      for (let n = 0; n < flips; n++) {
        const at = Math.floor(chance() * victim.length);
        victim[at] = (victim[at] ?? 0) ^ (1 << Math.floor(chance() * 8));
      }
      const isWhole = victims.some((whole) => Buffer.compare(whole, victim) === 0);
      if (isWhole) continue;
      expect(
        device.receive(victim.subarray(0, chance() < 0.3 ? Math.floor(chance() * victim.length) : undefined)),
      ).toBeLessThan(0);
    }
    expect(device.ringImage()).toEqual(before);
    expect(device.view.state).toBe(2);
  });

  test("an ack that misses more frames than can be in flight is no ack", () => {
    const { device, cloud } = pair();
    connect(device, cloud);
    run(device, 0, 100, () => settle(device, cloud));
    // Written by hand: head 16 + 4, nonce, epoch 1, through 0, missing [0, 2^32 - 1].
    const content = Uint8Array.from([
      0x86, 0x14, 0x1a, 0xde, 0xca, 0xfb, 0xad, 1, 0, 0x82, 0, 0x1a, 255, 255, 255, 255,
    ]);
    const seal = new DataView(new ArrayBuffer(4));
    seal.setUint32(0, murmur3(0, content));
    expect(device.receive(Uint8Array.from([...content, 0x44, ...new Uint8Array(seal.buffer)]))).toBe(-39);
    expect(device.poll()).toEqual([]);
  });

  test("an ack for another boot, or for frames that were never made, is ignored", () => {
    const { device, cloud } = pair();
    connect(device, cloud);
    run(device, 0, 100, () => settle(device, cloud));
    const ack = (nonce: number, epoch: number, through: number) =>
      device.receive(encodeFrame({ kind: "ack", nonce, epoch, through, missing: [] }));
    expect(ack(NONCE + 1, 1, 3)).toBe(-40);
    expect(ack(NONCE, 1, 6)).toBe(-39);
    expect(ack(NONCE, 2, 3)).toBe(-39);
    expect(device.view.unconfirmedFrames).toBe(5);
  });

  test("a refusal is remembered and the next birth waits for the slowest retry", () => {
    const { device, cloud } = pair();
    connect(device, cloud);
    device.receive(encodeFrame({ kind: "refusal", nonce: NONCE, reason: "unknown-model" }));
    expect(device.view.refusal).toBe(2);
    device.nowMs += 29_000;
    expect(device.poll()).toEqual([]);
    device.nowMs += 1_000;
    expect(kindsOf(device.poll())).toEqual(["birth"]);
  });
});

test("the presence says who is there", () => {
  const { device } = pair();
  const length = device.core.linkPresence(0);
  const frame = decodeFrame(device.bytes(device.view.message, length));
  expect(frame).toEqual({ kind: "presence", nonce: NONCE, online: false });
});
