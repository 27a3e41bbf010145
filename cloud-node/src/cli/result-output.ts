import type { Surroundings } from "./surroundings.ts";

/**
 * End a command with its result: with `--json` one object on standard output, else the line for a person there.
 *
 * Resolves once the text is written, so that a pipe gets all of it.
 */
export async function writeResult(
  { stdout }: Surroundings,
  isJson: boolean | undefined,
  result: object,
  line: string,
): Promise<void> {
  const text = isJson === true ? JSON.stringify(result) : line;
  await new Promise<void>((resolve) => {
    stdout.write(`${text}\n`, () => resolve());
  });
}
