import wabt from "wabt";
import { RunnerError } from "./runner-error.ts";

/**
 * A module from its text format.
 *
 * @param name  of the file, for what is told of an error
 * @throws {RunnerError} `bad-module`, with the place
 */
export async function compileModuleText(name: string, text: string): Promise<Uint8Array> {
  const { parseWat } = await wabt();
  try {
    const module = parseWat(name, text, { bulk_memory: true, multi_value: true });
    try {
      return module.toBinary({}).buffer;
    } finally {
      module.destroy();
    }
  } catch (cause) {
    const lines = cause instanceof Error ? cause.message.trim().split("\n") : [];
    throw new RunnerError(
      "bad-module",
      { said: lines.find((line) => /: error: /.test(line)) ?? lines[0] ?? "" },
      { cause },
    );
  }
}
