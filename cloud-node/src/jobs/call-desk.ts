import type { BlobDesk } from "./blob-desk.ts";
import { JobError } from "./job-error.ts";
import type { SharedJob } from "./shared-job.ts";
import type { Heard, SharedPlaces, ThreadCallDesk } from "./thread-messages.ts";

/**
 * What a thread may ask for in one attempt.
 *
 * @param open  makes the job one of so many workers; gives the own place
 * @param channel  what `open` made
 */
export function callDesk(
  blobs: BlobDesk,
  open: (places: SharedPlaces) => Promise<number>,
  channel: () => SharedJob | undefined,
): ThreadCallDesk {
  const opened = () => {
    const shared = channel();
    if (shared === undefined) throw new JobError("failed", "the job is not shared", "see `workers` of the workload");
    return shared;
  };
  return {
    "read-open": (ref) => blobs["read-open"](ref),
    "read-next": (read) => blobs["read-next"](read),
    "read-close": (read) => blobs["read-close"](read),
    file: (input) => blobs.file(input),
    "write-open": (target) => blobs["write-open"](target),
    "write-chunk": (write, bytes) => blobs["write-chunk"](write, bytes),
    "write-end": (write) => blobs["write-end"](write),
    "write-break": (write) => blobs["write-break"](write),
    "write-file": (name, path) => blobs["write-file"](name, path),
    "channel-open": open,
    "channel-send": async (to, message): Promise<number> => await opened().send(to, message),
    "channel-receive": async (): Promise<Heard> => await opened().receive(),
  };
}
