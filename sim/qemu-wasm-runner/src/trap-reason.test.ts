import { expect, test } from "vitest";
import { stopReasonOf } from "./trap-reason.ts";

test.for([
  [0, null],
  [7, null],
  [100, null],
  [101, "out-of-bounds"],
  [103, "divide-by-zero"],
  [107, "not-lent"],
  [108, "stack-exhausted"],
  [109, "gas-exhausted"],
  [110, null],
  [120, "fault"],
  [121, "stack-overflow"],
  [null, null],
] as const)("exit code %s stands for %s", ([exitCode, reason]) => {
  expect(stopReasonOf(exitCode)).toBe(reason);
});
