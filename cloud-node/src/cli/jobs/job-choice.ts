import { MOST_JOBS } from "../../jobs/job-queue.ts";
import { CommandError } from "../command-error.ts";
import type { JobDoor } from "./job-door.ts";
import { plainText } from "./plain-text.ts";

/** A whole id. */
const ID = /^[0-9a-f]{64}$/;

/** Refuse what is no id, before any queue is asked. @throws {CommandError} `usage` */
export function checkJobText(text: string): void {
  if (/^[0-9a-f]{4,64}$/.test(text)) return;
  throw new CommandError("usage", `"${plainText(text)}" is no id of a job`, "write 4 to 64 of its hexadecimal digits");
}

/**
 * The id that somebody means.
 *
 * @param text  an id, or the beginning of one of the newest thousand; {@link checkJobText} took it
 * @throws {CommandError} `refused` when no job or several have it
 */
export async function chosenJob(door: JobDoor, text: string): Promise<string> {
  if (ID.test(text)) return text;
  const found = (await door.list({ limit: MOST_JOBS })).filter(({ id }) => id.startsWith(text));
  const [first, second] = found;
  if (first === undefined) {
    const problem = `none of the newest ${MOST_JOBS} jobs has an id that begins with ${text}`;
    throw new CommandError("refused", problem, "see `lockstep jobs list`, or write all of it");
  }
  if (second === undefined) return first.id;
  throw new CommandError("refused", `${found.length} jobs have ids that begin with ${text}`, "write more of it");
}
