import { stat } from "node:fs/promises";
import { unlessAbsent } from "../../jobs/disk-call.ts";
import { maskedUrl } from "../../jobs/masked-url.ts";
import { CommandError } from "../command-error.ts";
import { DEFAULT_STORE_FILE } from "../defaults.ts";
import { readToken, type TokenOptions, trustAuthority } from "../node-token.ts";
import type { Surroundings } from "../surroundings.ts";
import type { JobDoor } from "./job-door.ts";

/** Where a queue is, and how to get at it. */
export interface QueueOptions extends TokenOptions {
  readonly queue: string;
  readonly ca?: string;
}

/** What stands where nobody says which queue: the one beside the store of a node that was started in this folder. */
export const DEFAULT_QUEUE = `sqlite:${DEFAULT_STORE_FILE}.jobs`;
/** What the option does, for a command's help. */
export const QUEUE_HELP = "sqlite:FILE, nats://HOST:PORT, or a node's page: http(s)://HOST:PORT";

/**
 * Open the jobs, wherever they are.
 *
 * @param absent  what becomes of a queue in a file that is not there: only whoever hands in makes one
 * @throws {CommandError} `usage` for what is no queue, `file` for one that is not there; and what {@link readToken} throws
 * @throws {JobError} `queue-away`, `queue-version`
 */
export async function openDoor(
  surroundings: Surroundings,
  options: QueueOptions,
  absent: "refuse" | "make" = "refuse",
): Promise<JobDoor> {
  const { queue: url, ca } = options;
  if (/^https?:/.test(url)) {
    if (!URL.canParse(url)) throw notQueue(url);
    if (ca !== undefined) await trustAuthority(ca);
    const token = await readToken(surroundings, options, url);
    const { NodeDoor } = await import("./node-door.ts");
    return new NodeDoor(url, token, surroundings.interrupt);
  }
  checkQueueUrl(url);
  if (absent === "refuse") await checkIsThere(url);
  const { openQueue } = await import("../../jobs/open-queue.ts");
  const { QueueDoor } = await import("./queue-door.ts");
  return new QueueDoor(await openQueue(url, surroundings.clock), surroundings.clock);
}

/** Refuse what no queue can be at, before anything is opened. @throws {CommandError} `usage` */
export function checkQueueUrl(url: string): void {
  if (!/^sqlite:.|^(nats|tls):\/\/./.test(url)) throw notQueue(url);
}

/** @throws {CommandError} `file` */
async function checkIsThere(url: string): Promise<void> {
  const [, file] = /^sqlite:(.+)$/s.exec(url) ?? [];
  if (file === undefined || (await stat(file).catch(unlessAbsent)) !== undefined) return;
  const remedy = "say where it is with --queue URL; `lockstep jobs submit`, `worker` and `serve` make one";
  throw new CommandError("file", `there is no queue of jobs at ${file}`, remedy);
}

function notQueue(url: string): CommandError {
  return new CommandError("usage", `"${maskedUrl(url)}" is no queue of jobs`, `write ${QUEUE_HELP}`);
}
