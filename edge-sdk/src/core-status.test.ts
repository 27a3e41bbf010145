import { expect, test } from "vitest";
import { moduleBytes } from "./codec-signals.suite.ts";
import { CORE_STATUSES, CodecError, coreError } from "./core-status.ts";

function batchExports(): Readonly<Record<string, unknown>> {
  const module = new WebAssembly.Module(new Uint8Array(moduleBytes("batch")));
  return new WebAssembly.Instance(module).exports as Readonly<Record<string, unknown>>;
}

test("the host's table of statuses is the core's own, with none left out", () => {
  const exported = Object.entries(batchExports()).filter(([name]) => name.startsWith("STATUS_"));
  expect(exported.length).toBeGreaterThan(0);
  const ours = Object.fromEntries(CORE_STATUSES.map(({ name, status }) => [name, status]));
  expect(Object.fromEntries(exported.map(([name, global]) => [name, (global as WebAssembly.Global).value]))).toEqual(
    ours,
  );
});

test("an error tells the status, the code and the facts", () => {
  const error = coreError(-7, { row: 3 });
  expect(error.code).toBe("off-lattice");
  expect(error.message).toBe("codec: off-lattice: row 3, status -7");
});

test("a bound that is too fine is refused with the finest that the channel's range resolves", () => {
  const { message } = new CodecError("bound-below-conversion", { channel: "gx", eps: 1e-30, conversion: 7.8e-5 });
  expect(message).toBe(
    "codec: channel gx cannot keep eps 1e-30: 32 bits of its range resolve 0.000078; give a larger eps",
  );
});
