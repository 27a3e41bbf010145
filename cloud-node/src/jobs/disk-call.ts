import { isOutOfRoom } from "../disk-room.ts";
import { JobError } from "./job-error.ts";

/**
 * Do something with the disk.
 *
 * @throws {JobError} `disk-full`, else `queue-away` for whatever the system refused
 */
export async function onDisk<Result>(folder: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (cause) {
    if (cause instanceof JobError) throw cause;
    if (isOutOfRoom(cause)) {
      throw new JobError("disk-full", `no room left in ${folder}`, "make room and try again", { cause });
    }
    const { message } = cause as Error;
    throw new JobError("queue-away", `${folder} (${message})`, "look at the folder and the disk", { cause });
  }
}

/** For a promise's `catch`: what is not there is undefined. */
export function unlessAbsent(cause: NodeJS.ErrnoException): undefined {
  if (cause.code !== "ENOENT") throw cause;
}
