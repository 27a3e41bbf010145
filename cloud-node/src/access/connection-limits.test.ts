import { expect, test } from "vitest";
import { ConnectionCensus } from "./connection-limits.ts";

test("a network of 64 bits is one address of IPv6, and an IPv4 address is the same within IPv6", () => {
  const census = new ConnectionCensus({ total: 100, perAddress: 2, perLoopbackAddress: 100 });
  expect(census.enter("2001:db8:1:2::a")).toBe(true);
  expect(census.enter("2001:db8:1:2:ffff::b")).toBe(true);
  expect(census.enter("2001:db8:1:2::c")).toBe(false);
  expect(census.enter("2001:db8:1:3::c")).toBe(true);
  census.leave("2001:db8:1:2::a");
  expect(census.enter("2001:db8:1:2::c")).toBe(true);
  expect([census.enter("192.0.2.7"), census.enter("::ffff:192.0.2.7"), census.enter("192.0.2.7")]).toEqual([
    true,
    true,
    false,
  ]);
});
