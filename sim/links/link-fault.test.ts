import { describe, expect, test } from "vitest";
import { seededRandom } from "../seeded-random.ts";
import {
  chain,
  corruption,
  cut,
  type Delivery,
  delay,
  duplication,
  type LinkFault,
  linkFault,
  loss,
  PERFECT,
  reordering,
  truncation,
} from "./link-fault.ts";

const SEED = 3;
const COUNT = 10_000;

/** Send numbered messages a millisecond apart. @returns what arrives, by time of arrival */
function send(fault: LinkFault, count = COUNT): { id: number; atMs: number }[] {
  const arrivals: { id: number; atMs: number }[] = [];
  for (let id = 0; id < count; id += 1) {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, id);
    for (const { bytes: arrived, afterMs } of fault({ bytes, afterMs: 0 }, id)) {
      arrivals.push({ id: new DataView(arrived.buffer).getUint32(0), atMs: id + afterMs });
    }
  }
  return arrivals.sort((a, b) => a.atMs - b.atMs);
}

/** Five standard deviations of a count of `COUNT` trials. */
const spread = (probability: number) => 5 * Math.sqrt(COUNT * probability * (1 - probability));

describe("each fault does what its number says", () => {
  test("loss", () => {
    const arrived = send(loss(0.2, seededRandom(SEED)));
    expect(Math.abs(arrived.length - 0.8 * COUNT)).toBeLessThan(spread(0.2));
  });

  test("duplication", () => {
    const arrived = send(duplication(0.1, 50, seededRandom(SEED)));
    expect(Math.abs(arrived.length - 1.1 * COUNT)).toBeLessThan(spread(0.1));
    expect(new Set(arrived.map(({ id }) => id)).size).toBe(COUNT);
  });

  test("delay and jitter, without overtaking", () => {
    const arrived = send(delay(40, 10, seededRandom(SEED)));
    expect(arrived.map(({ id }) => id)).toEqual(Array.from({ length: COUNT }, (_, id) => id));
    for (const { id, atMs } of arrived) {
      expect(atMs - id).toBeGreaterThanOrEqual(30);
      expect(atMs - id).toBeLessThanOrEqual(50);
    }
  });

  test("reordering, losing nothing", () => {
    const arrived = send(reordering(0.1, 20, seededRandom(SEED)));
    expect(arrived.length).toBe(COUNT);
    const overtaken = arrived.filter(({ id }, i) => i > 0 && id < (arrived[i - 1]?.id ?? 0)).length;
    expect(overtaken).toBeGreaterThan(0.05 * COUNT);
    expect(overtaken).toBeLessThan(0.1 * COUNT + spread(0.1));
  });

  test("corruption: one to three bits, and never the sender's own bytes", () => {
    const fault = corruption(0.3, seededRandom(SEED));
    let corrupted = 0;
    for (let i = 0; i < COUNT; i += 1) {
      const bytes = new Uint8Array(20);
      const [delivery] = fault({ bytes, afterMs: 0 }, i);
      const flipped = [...(delivery?.bytes ?? [])].reduce(
        (sum, byte) => sum + byte.toString(2).replaceAll("0", "").length,
        0,
      );
      expect(flipped).toBeLessThanOrEqual(3);
      corrupted += flipped > 0 ? 1 : 0;
      expect(bytes.every((byte) => byte === 0)).toBe(true);
    }
    expect(Math.abs(corrupted - 0.3 * COUNT)).toBeLessThan(spread(0.3));
  });

  test("truncation: never to nothing, and never the sender's own bytes", () => {
    const fault = truncation(0.3, seededRandom(SEED));
    const sent = Uint8Array.from({ length: 20 }, (_, i) => i);
    const lengths = new Map<number, number>();
    for (let i = 0; i < COUNT; i += 1) {
      const [delivery] = fault({ bytes: sent, afterMs: 0 }, i);
      const arrived = delivery?.bytes ?? new Uint8Array();
      expect(arrived).toEqual(sent.subarray(0, arrived.length));
      lengths.set(arrived.length, (lengths.get(arrived.length) ?? 0) + 1);
    }
    expect([Math.min(...lengths.keys()), Math.max(...lengths.keys()), lengths.size]).toEqual([1, 20, 20]);
    expect(Math.abs(COUNT - (lengths.get(20) ?? 0) - 0.3 * COUNT)).toBeLessThan(spread(0.3));
    expect(sent.length).toBe(20);
  });

  test("a cut swallows what is sent or would arrive in it, and nothing else", () => {
    const arrived = send(chain(delay(10, 0, seededRandom(SEED)), cut([{ fromMs: 100, toMs: 200 }])), 400);
    const missing = Array.from({ length: 400 }, (_, id) => id).filter(
      (id) => !arrived.some((other) => other.id === id),
    );
    expect([missing[0], missing.at(-1), missing.length]).toEqual([90, 199, 110]);
  });
});

test("the same seed gives the same faults, another seed others", () => {
  const faults = { loss: 0.2, duplicate: 0.1, reorder: 0.1, corrupt: 0.05, delayMs: 20, jitterMs: 5 };
  const run = (seed: number) => send(linkFault(faults, seededRandom(seed)), 500);
  expect(run(1)).toEqual(run(1));
  expect(run(1)).not.toEqual(run(2));
});

test("adding a fault does not change the dice of the others", () => {
  const lostWith = (faults: object) => {
    const seen = new Set(send(linkFault({ loss: 0.2, ...faults }, seededRandom(SEED)), 500).map(({ id }) => id));
    return Array.from({ length: 500 }, (_, id) => id).filter((id) => !seen.has(id));
  };
  expect(lostWith({ duplicate: 0.5, jitterMs: 3 })).toEqual(lostWith({}));
});

test("a link without faults passes messages on as they are", () => {
  const delivery: Delivery = { bytes: Uint8Array.of(1), afterMs: 0 };
  expect(linkFault({}, seededRandom(SEED))(delivery, 0)).toEqual([delivery]);
  expect(PERFECT(delivery, 0)).toEqual([delivery]);
});
