import { expect, test } from "vitest";
import { ManualClock } from "../manual-clock.suite.ts";
import { FailedAttempts } from "./failed-attempts.ts";

test("five wrong tokens are mistakes; each one after doubles the wait, 1 s to 60 s, and ten minutes forget them", () => {
  const clock = new ManualClock();
  const attempts = new FailedAttempts(clock);
  const waits: number[] = [];
  for (let n = 1; n <= 13; n++) {
    attempts.add("192.0.2.1");
    const wait = attempts.waitMs("192.0.2.1");
    waits.push(wait / 1000);
    clock.advance(wait);
    expect(attempts.waitMs("192.0.2.1")).toBe(0);
  }
  expect(waits).toEqual([0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
  expect(attempts.waitMs("192.0.2.2")).toBe(0);
  expect(attempts.total).toBe(13);
  clock.advance(600_000);
  attempts.add("192.0.2.1");
  expect(attempts.waitMs("192.0.2.1")).toBe(0);
});

test("addresses of one IPv6 network are one, an IPv4 address is itself however it is written", () => {
  const attempts = new FailedAttempts(new ManualClock());
  for (let n = 0; n < 8; n++) attempts.add(`2001:db8:1:2:${n}::${n}`);
  expect(attempts.waitMs("2001:db8:1:2:ffff:ffff:ffff:ffff")).toBeGreaterThan(0);
  expect(attempts.waitMs("2001:db8:1:3::1")).toBe(0);
  for (let n = 0; n < 8; n++) attempts.add("::ffff:192.0.2.7");
  expect([attempts.waitMs("192.0.2.7") > 0, attempts.waitMs("192.0.2.8")]).toEqual([true, 0]);
  for (let n = 0; n < 8; n++) attempts.add("::1");
  expect(attempts.waitMs("0:0:0:0:0:0:0:2")).toBeGreaterThan(0);
});

test("a crowd of addresses does not take the memory of the node: the one that failed longest ago makes room", () => {
  const attempts = new FailedAttempts(new ManualClock());
  for (let n = 0; n < 6; n++) attempts.add("192.0.2.1");
  for (let n = 0; n < 9_999; n++) attempts.add(`10.0.${n >> 8}.${n & 255}`);
  expect(attempts.waitMs("192.0.2.1")).toBeGreaterThan(0);
  attempts.add("198.51.100.1");
  expect(attempts.waitMs("192.0.2.1")).toBe(0);
});
