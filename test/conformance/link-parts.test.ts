import { expect, test } from "vitest";
import { RawCloud } from "./raw-cloud.ts";
import { RawDevice, type RawDeviceOptions } from "./raw-device.ts";

const OUT_SMALL = "-34";
const LEAST = 64;
const RING_SMALL = -35;
const LINK_CONFIG = -33;

/** What a device says in a stretch with a loss, all of it. */
function messagesOf(options: RawDeviceOptions): string[] {
  const device = new RawDevice(options);
  const cloud = new RawCloud();
  const said: string[] = [];
  const settle = (isLost: boolean) => {
    for (const { topic, bytes } of device.poll()) {
      said.push(`${topic} ${Buffer.from(bytes).toString("hex")}`);
      if (isLost) continue;
      for (const answer of cloud.take(bytes)) device.receive(answer);
    }
  };
  device.core.linkConnected(device.nowMs);
  settle(false);
  for (let t = 0; t < 900; t++) {
    device.nowMs += 10;
    device.sample(
      Array.from({ length: options.channels }, (_, c) => Math.round(9000 * Math.sin(t / (7 + c)) + ((t * 7919) % 101))),
    );
    settle(t % 200 > 150);
  }
  expect(cloud.badSeals).toBe(0);
  return said;
}

for (const channels of [1, 3, 6, 16]) {
  test(`in parts, ${channels} channels say what they say from a buffer for whole messages`, () => {
    const options = { channels, e: 5, frameSamples: 60, ringBytes: 24_000, outBytes: 2_048 };
    const whole = messagesOf(options);
    expect(whole.some((message) => message.length > 2 * LEAST + 2)).toBe(true);
    for (const roomBytes of [LEAST, 65, 66, 67, 200]) expect(messagesOf({ ...options, roomBytes })).toEqual(whole);
  });
}

test("a buffer too small for a head, or with an mtu for a message, is refused", () => {
  const options = { channels: 2, e: 5, frameSamples: 20 };
  expect(() => new RawDevice({ ...options, roomBytes: LEAST })).not.toThrow();
  expect(() => new RawDevice({ ...options, roomBytes: LEAST - 1 })).toThrow(OUT_SMALL);
  expect(() => new RawDevice({ ...options, mtu: 51, roomBytes: LEAST })).toThrow(OUT_SMALL);
  expect(() => new RawDevice({ ...options, mtu: 51 })).not.toThrow();
});

test("the head of a birth must fit, which bears the device's name", () => {
  const options = { channels: 2, e: 5, frameSamples: 20, roomBytes: LEAST };
  expect(new RawDevice({ ...options, name: "n".repeat(41) }).opened).toBe(0);
  expect(new RawDevice({ ...options, name: "n".repeat(42) }).opened).toBe(Number(OUT_SMALL));
});

test("a link that refused its memory has none, and takes no description", () => {
  const { core } = new RawDevice({ channels: 2, e: 5, frameSamples: 20 });
  const free = core.freeAddress();
  const describe = () => core.linkDescribe(free, 256, free, 4, 1_000_000n, free, free, 0);
  const lend = (ringBytes: number) => core.linkMemory(free + 8_192, ringBytes, free + 1_024, 2_048, 1_024);
  expect(core.linkBegin(2, 20, 1_000, 0)).toBe(0);
  expect(lend(8_192)).toBe(0);
  expect(describe()).toBe(0);
  expect(core.linkBegin(2, 20, 1_000, 0)).toBe(0);
  expect(lend(100)).toBe(RING_SMALL);
  expect(describe()).toBe(LINK_CONFIG);
});
