import { CommandError } from "../command-error.ts";
import type { JobDoor } from "./job-door.ts";

/** Newest jobs among which the beginning of an id is looked for. */
const LOOKED_AT = 1_000;

/**
 * The id that somebody means.
 *
 * @param text  an id, or the beginning of one of the newest thousand
 * @throws {CommandError} `usage` for what is none, `refused` when no job or several have it
 */
export async function chosenJob(door: JobDoor, text: string): Promise<string> {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  if (!/^[0-9a-f]{4,63}$/.test(text)) {
    throw new CommandError("usage", `"${text}" is no id of a job`, "write 4 to 64 of its hexadecimal digits");
  }
  const found = (await door.list({ limit: LOOKED_AT })).filter(({ id }) => id.startsWith(text));
  const [first, second] = found;
  if (first === undefined) {
    const problem = `none of the newest ${LOOKED_AT} jobs has an id that begins with ${text}`;
    throw new CommandError("refused", problem, "see `lockstep jobs list`, or write all of it");
  }
  if (second === undefined) return first.id;
  throw new CommandError("refused", `${found.length} jobs have ids that begin with ${text}`, "write more of it");
}
