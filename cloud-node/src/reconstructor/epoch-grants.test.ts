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

test("the boot last born is in force, and those before it are over", () => {
  const grants = new EpochGrants([stored(1, 100), stored(2, 101)]);
  expect(grants.nonce).toBe(101);
  expect([100, 101, 102].map((nonce) => grants.isOver(nonce))).toEqual([true, false, false]);
  grants.add(stored(3, 102));
  expect(grants.inForce?.epoch).toBe(3);
  expect(grants.isOver(101)).toBe(true);
});

test("an epoch below the newest, of frames that wait in a ring, puts no boot in force", () => {
  const grants = new EpochGrants([stored(5, 101)]);
  grants.add(stored(3, 101));
  expect(grants.inForce?.epoch).toBe(5);
});

test("a boot is proven by its stored frames or by what it says, and a new one has to say it again", () => {
  const withFrames = new EpochGrants([stored(1, 100)], (epoch) => epoch === 1);
  expect(withFrames.isProven).toBe(true);
  withFrames.add(stored(2, 101));
  expect(withFrames.isProven).toBe(false);
  withFrames.prove();
  expect(withFrames.isProven).toBe(true);
});

test("a boot put in force again has its old epoch, and is not proven by the frames that it had", () => {
  const grants = new EpochGrants([stored(1, 100), stored(2, 101)], () => true);
  grants.revive(100);
  expect(grants.inForce?.epoch).toBe(1);
  expect(grants.isProven).toBe(false);
  expect([100, 101].map((nonce) => grants.isOver(nonce))).toEqual([false, true]);
  expect(grants.grant(100, 0)).toEqual({ epoch: 1, isNew: false });
  expect(grants.grant(102, 0)).toEqual({ epoch: 3, isNew: true });
});
