import { expect, test } from "vitest";
import { EpochGrants } from "./epoch-grants.ts";

const stored = (epoch: number, nonce: number) => ({ epoch, nonce, birthHash: "0011223344556677", openedUs: 0 });

test("a boot that asks twice gets the same epoch", () => {
  const grants = new EpochGrants([stored(4, 100)]);
  expect(grants.grant(7, 0)).toEqual({ epoch: 5, isNew: true });
  grants.add(stored(5, 7));
  expect(grants.grant(7, 0)).toEqual({ epoch: 5, isNew: false });
  expect(grants.grant(7, 5)).toEqual({ epoch: 5, isNew: false });
});

test("a boot that names an epoch of another boot gets a new one", () => {
  const grants = new EpochGrants([stored(3, 100), stored(9, 101)]);
  expect(grants.grant(7, 3)).toEqual({ epoch: 10, isNew: true });
});

test("a boot whose counter fell back gets a new epoch, though nobody used the one it names", () => {
  const grants = new EpochGrants([stored(9, 101)]);
  expect(grants.grant(7, 2)).toEqual({ epoch: 10, isNew: true });
});

test("a boot that counts on by itself keeps its own number, even if its nonce comes again", () => {
  const grants = new EpochGrants([stored(1, 42)]);
  expect(grants.grant(42, 2)).toEqual({ epoch: 2, isNew: true });
  grants.add(stored(2, 42));
  expect(grants.grant(42, 0)).toEqual({ epoch: 2, isNew: false });
});

test("the first boot ever gets epoch 1", () => {
  expect(new EpochGrants([]).grant(1, 0)).toEqual({ epoch: 1, isNew: true });
});

test("the last epoch is the last: no boot gets one that does not fit the wire", () => {
  const grants = new EpochGrants([stored(0xffff_fffe, 1)]);
  expect(grants.grant(2, 0)).toEqual({ epoch: 0xffff_ffff, isNew: true });
  grants.add(stored(0xffff_ffff, 2));
  expect(grants.grant(3, 0)).toBeUndefined();
  expect(grants.grant(2, 0)).toEqual({ epoch: 0xffff_ffff, isNew: false });
});
