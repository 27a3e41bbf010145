import { stat } from "node:fs/promises";
import { type DumpInput, fileInput, streamInput } from "../../workloads/trajectory/dump-input.ts";
import { CommandError } from "../command-error.ts";
import { checkFiles } from "../partial-file.ts";
import type { Surroundings } from "../surroundings.ts";

const STANDARD_INPUT = "-";

/** Dumps to read, and how many bytes they are as they are stored; 0 where nobody knows. */
export interface DumpInputs {
  readonly inputs: readonly DumpInput[];
  readonly totalBytes: number;
}

/**
 * Take the last of some files for the output, and the others for dumps.
 *
 * @param what  the output is, for whoever left it out
 * @throws {CommandError} `usage`
 */
export function splitFiles(files: readonly string[], what: string): readonly [dumps: readonly string[], last: string] {
  const last = files.at(-1);
  if (last === undefined || files.length < 2) {
    throw new CommandError("usage", `${last ?? "nothing"} alone is not enough`, `name the dumps, and then ${what}`);
  }
  if (files.filter((file) => file === STANDARD_INPUT).length > 1) {
    throw new CommandError("usage", "standard input can be read once", "give - once");
  }
  return [files.slice(0, -1), last];
}

/**
 * Open dumps for reading: all that can be told beforehand is.
 *
 * @param output  file that is written meanwhile
 * @throws {CommandError} `file`, `usage`
 */
export async function openInputs(
  { stdin, interrupt }: Surroundings,
  dumps: readonly string[],
  output: string | undefined,
): Promise<DumpInputs> {
  let totalBytes = 0;
  const inputs: DumpInput[] = [];
  for (const path of dumps) {
    await checkFiles(path, output);
    if (path === STANDARD_INPUT) {
      if (stdin.isTTY === true) throw new CommandError("usage", "nothing is piped into standard input", "pipe a dump");
      // Whoever writes the pipe may never end it.
      interrupt.addEventListener("abort", () => stdin.destroy(), { once: true });
      inputs.push(streamInput("standard input", stdin));
      continue;
    }
    const place = await stat(path).catch((cause: unknown) => {
      throw new CommandError("file", `${path}: there is no such file`, "check the path", { cause });
    });
    totalBytes += place.size;
    inputs.push(fileInput(path));
  }
  return { inputs, totalBytes: dumps.includes(STANDARD_INPUT) ? 0 : totalBytes };
}
