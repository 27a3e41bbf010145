import { WAITS_FOR_WORKER, waitsForWorker } from "../../src/api/job-wait.ts";
import type { LiveJob } from "../../src/api/job-watch.ts";

const US_PER_MS = 1_000;

interface JobProgressProps {
  readonly job: Pick<LiveJob, "state" | "progress" | "attempts" | "maxAttempts" | "error" | "submittedMs" | "dueMs">;
  /** Of the job, for whoever hears the bar alone. */
  readonly name: string;
  /** The node's Unix time, µs. */
  readonly nowUs: number;
}

/** How far a job is, or why it is not. */
export function JobProgress({ job, name, nowUs }: JobProgressProps) {
  const { state, progress, error } = job;
  if (state === "running" && progress !== null) {
    const { fraction, note } = progress;
    const share = fraction === null ? undefined : Math.floor(fraction * 100);
    return (
      <span class="job-progress">
        <progress aria-label={`Progress of ${name}`} max={100} value={share} />
        <span>
          {share === undefined ? "" : `${share}\u202f% `}
          {note}
        </span>
      </span>
    );
  }
  const waits = waitsForWorker(job, nowUs / US_PER_MS) ? WAITS_FOR_WORKER : "";
  return <span class="job-progress">{[words(state, error, job), waits].filter((text) => text !== "").join("; ")}</span>;
}

function words(
  state: LiveJob["state"],
  error: LiveJob["error"],
  { attempts, maxAttempts }: Pick<LiveJob, "attempts" | "maxAttempts">,
): string {
  if (state === "failed" || state === "dead") return error?.message ?? "";
  if (state === "queued" && error !== null)
    return `attempt ${attempts + 1} of ${maxAttempts} follows: ${error.message}`;
  if (state === "running" && attempts > 1) return `attempt ${attempts} of ${maxAttempts}`;
  return "";
}
