import { CommandError } from "../command-error.ts";

/**
 * A run goes on as it began: options that would make it another one are refused.
 *
 * @param given  such options by name; undefined: it was left out
 * @throws {CommandError} `usage`
 */
export function checkUnchanged(out: string, given: Readonly<Record<string, unknown>>): void {
  const [other] = Object.entries(given).find(([, value]) => value !== undefined) ?? [];
  if (other === undefined) return;
  throw new CommandError("usage", `--resume goes on with the run as it is in ${out}`, `leave out --${other}`);
}
