import { expect, test } from "vitest";
import { workloadsHelp } from "./workload-help.ts";
import { WORKLOADS } from "./workloads.ts";

test("the help has each kind of work with its own summary, and no other", async () => {
  const workloads = await Promise.all(Object.values(WORKLOADS).map((load) => load()));
  const lines = workloadsHelp().split("\n").slice(1);
  expect(lines.length).toBeGreaterThan(0);
  const told = lines.map((line) => line.trim().split(/ {2,}/));
  expect(told.sort()).toEqual(workloads.map(({ name, summary }) => [name, summary]).sort());
});
