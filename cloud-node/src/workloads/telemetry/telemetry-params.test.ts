import { expect, test } from "vitest";
import { shippedCodec } from "../../cli/device-module.ts";
import type { JsonObject } from "../../jobs/job.ts";
import { checkParams } from "../../jobs/workload-registry.ts";
import { telemetry } from "./telemetry.ts";

const DAY = "2026-05-01";

test.for([
  [{}, "eps: one of eps and rel"],
  [{ eps: 1, rel: 0.1 }, "eps: one of eps and rel"],
  [{ eps: -1 }, "eps: Invalid value"],
  [{ eps: "x=" }, 'eps: "x=" is no bound'],
  [{ eps: [1] }, "eps: a bound is a number"],
  [{ eps: 1, day: DAY }, "day: a day is of a device"],
  [{ eps: 1, device: "unit", day: "2023-02-30" }, "day: write a day as"],
  [{ eps: 1, columns: ["x", 3] }, "columns.1: Invalid type"],
  [{ eps: 1, rateHz: 0 }, "rateHz: Invalid value"],
  [{ eps: 1, lookahead: "far" }, "lookahead: Invalid type"],
  [{ eps: 1, epsilon: 1 }, "epsilon: Invalid key"],
] as const)("with the parameters %o names the field: %s", ([params, part]) => {
  const check = () => checkParams(telemetry(shippedCodec), params as JsonObject);
  expect(check).toThrow(expect.objectContaining({ code: "bad-params", isFinal: true }));
  expect(check).toThrow(`telemetry, ${part}`);
});

test.for([
  [{ eps: 0 }, { eps: 0, lookahead: "programme" }],
  [
    { rel: "ax=0.1,*=0.2", time: null, columns: ["ax"] },
    { rel: "ax=0.1,*=0.2", time: null, columns: ["ax"], lookahead: "programme" },
  ],
  [
    { eps: 1, device: "unit", day: DAY, lookahead: "none" },
    { eps: 1, device: "unit", day: DAY, lookahead: "none" },
  ],
] as const)("the parameters %o are taken, defaults filled in", ([params, taken]) => {
  expect(checkParams(telemetry(shippedCodec), params as JsonObject)).toEqual(taken);
});
