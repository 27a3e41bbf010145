import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, expect, test } from "vitest";
import { build } from "./build.ts";
import { CalledMachine } from "./called-machine.ts";
import { compileModuleText } from "./module-text.ts";
import { type ProgramEnd, type RunningProgram, startProgram } from "./running-program.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "called-machine-"));
const TRAITS = { board: "host", timeoutMs: 20, isCounting: false, hasPaintedStack: false };
const SHAPE = {
  exports: [{ kind: "function", name: "wait", signature: { params: [], results: [] } }],
  memory: null,
  tableEntries: 0,
} as const;
const NO_TRAP = Uint8Array.of(0);

afterAll(() => rmSync(FOLDER, { recursive: true }));

/** A program that starts, and never answers. */
function silentProgram(end: ProgramEnd): { program: RunningProgram; output: PassThrough } {
  const output = new PassThrough();
  output.write(NO_TRAP);
  const program = { input: new PassThrough(), output, pid: 0, ended: Promise.resolve(end), end: async () => {} };
  return { program, output };
}

test("a timeout names the function that gave no answer", async () => {
  const { program } = silentProgram({ exitCode: 0, signal: null, errorText: "" });
  const machine = await CalledMachine.start(program, SHAPE, TRAITS);
  const late = { code: "timeout", facts: { function: "wait", afterMs: 20 } };
  await expect(machine.call("wait")).rejects.toMatchObject(late);
});

test("a start that does not come is a timeout of the start", async () => {
  const { program } = silentProgram({ exitCode: 0, signal: null, errorText: "" });
  program.output.read();
  const late = { code: "timeout", facts: { function: "(start)" } };
  await expect(CalledMachine.start(program, SHAPE, TRAITS)).rejects.toMatchObject(late);
});

test.for([
  [{ exitCode: null, signal: "SIGKILL", errorText: "" }, { signal: "SIGKILL" }],
  [
    { exitCode: 3, signal: null, errorText: "qemu: no\n" },
    { exitCode: 3, said: "qemu: no" },
  ],
  [
    { exitCode: 121, signal: null, errorText: "" },
    { exitCode: 121, reason: "stack-overflow" },
  ],
] as const)("a program that ended says how: %j", async ([end, facts]) => {
  const { program, output } = silentProgram(end);
  const machine = await CalledMachine.start(program, SHAPE, { ...TRAITS, timeoutMs: 60_000 });
  const asked = machine.call("wait");
  output.destroy();
  await expect(asked).rejects.toMatchObject({ code: "ended", facts: { function: "wait", ...facts } });
  await asked.catch(({ facts: told }) => expect(Object.keys(told)).toEqual(["function", ...Object.keys(facts)]));
});

test("a process that is killed is told with the signal", async () => {
  const wasm = await compileModuleText("endless", `(module (func (export "endless") (loop (br 0))))`);
  const firmware = await build(wasm, { board: "host", cacheFolder: FOLDER });
  const program = await startProgram(firmware, { isCounting: false });
  const machine = await CalledMachine.start(program, firmware.shape, { ...TRAITS, timeoutMs: 60_000 });
  const asked = machine.call("endless");
  process.kill(program.pid, "SIGKILL");
  const killed = { code: "ended", facts: { function: "endless", signal: "SIGKILL" } };
  await expect(asked).rejects.toMatchObject(killed);
});
