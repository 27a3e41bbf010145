import type { Firmware } from "./build.ts";
import { callByRecords } from "./call-records.ts";
import type { CliContext } from "./cli-context.ts";
import { readInput, writeOutput } from "./cli-files.ts";
import type { CliValues } from "./cli-options.ts";
import { type Machine, type OpenOptions, open } from "./machine.ts";
import { parseCall } from "./module-call.ts";
import { run } from "./run.ts";
import { RunnerError } from "./runner-error.ts";
import type { Startable } from "./running-program.ts";

/**
 * The command `run` on a module: calls its exports.
 *
 * @returns the exit code: 1 when a call was a trap
 * @throws {RunnerError} as `open` and `Machine.call`; `usage`, `file-failed`
 */
export async function tellCalls(
  firmware: Firmware,
  waiting: OpenOptions,
  values: CliValues,
  context: CliContext,
): Promise<number> {
  const calls = values.call ?? [];
  const input = values.in === undefined ? undefined : await readInput(values.in);
  const machine = await open(firmware, waiting);
  try {
    if (input === undefined) return await tellEach(machine, firmware, calls, values, context);
    return await tellRecords(machine, firmware, (calls[0] ?? "").trim(), input, values, context);
  } finally {
    await machine.close();
  }
}

async function tellEach(
  machine: Machine,
  { board }: Firmware,
  calls: readonly string[],
  { json }: CliValues,
  context: CliContext,
): Promise<number> {
  const told: { function: string; results?: string[]; trap?: string }[] = [];
  for (const call of calls) {
    const { function: name, args } = parseCall(call);
    const answer = await machine.call(name, ...args).catch((error: unknown) => {
      if (error instanceof RunnerError && error.code === "trap") return String(error.facts.reason);
      throw error;
    });
    const result = typeof answer === "string" ? { trap: answer } : { results: answer.map(String) };
    told.push({ function: name, ...result });
    if (!json) context.out(`${call.trim()}: ${result.trap ? `trap, ${result.trap}` : result.results?.join(" ")}\n`);
  }
  if (json) context.out(`${JSON.stringify({ board, calls: told })}\n`);
  return told.some(({ trap }) => trap !== undefined) ? 1 : 0;
}

async function tellRecords(
  machine: Machine,
  { board, shape }: Firmware,
  name: string,
  input: Uint8Array,
  values: CliValues,
  context: CliContext,
): Promise<number> {
  const { calls, output } = await callByRecords(machine, shape, name, input);
  await deliver(output, { board, function: name, calls }, values, context);
  return 0;
}

/**
 * The command `run` on a program: its UART gets the file of `--in`, and what it says goes to `--out` or standard output.
 *
 * @returns the exit code: 1 when the program's own is another than 0
 * @throws {RunnerError} as `run`; `file-failed`
 */
export async function tellProgram(
  program: Startable,
  waiting: OpenOptions,
  values: CliValues,
  context: CliContext,
): Promise<number> {
  const input = await readInput(values.in);
  const { exitCode, trap, output, errorText } = await run(program, { ...waiting, input });
  await deliver(output, { board: program.board, exitCode, trap }, values, context);
  if (exitCode === 0) return 0;
  const reason = trap === null ? "" : `, ${trap}`;
  context.error(`wasm runner: the program ended with ${exitCode}${reason}\n${errorText}`);
  return 1;
}

/** Bytes to `--out`, else to standard output; with `--json` into its object. */
async function deliver(
  output: Uint8Array,
  facts: Readonly<Record<string, string | number | null>>,
  { out, json }: CliValues,
  context: CliContext,
): Promise<void> {
  if (out !== undefined) await writeOutput(out, output);
  const bytes = out === undefined ? { outputBase64: Buffer.from(output).toString("base64") } : { out };
  if (json) context.out(`${JSON.stringify({ ...facts, outputBytes: output.length, ...bytes })}\n`);
  else if (out === undefined) context.outBytes(output);
}
