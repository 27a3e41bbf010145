import { isOver, type Job } from "../../jobs/job.ts";
import type { JobLease, JobQueue } from "../../jobs/job-queue.ts";
import type { TrainingText } from "../../workloads/language-model/training-text.ts";
import { CommandError } from "../command-error.ts";

/** Who takes a job only to put its checkpoint back. */
const REVIVER = "resume";

/**
 * The run that was stopped in a folder, ready to go on: one that ended badly is handed in again, with its checkpoint.
 *
 * @param queue  the folder's own, where nobody works yet
 * @throws {CommandError} `refused` where no run was begun, or with another text
 */
export async function stoppedRun(queue: JobQueue, out: string, text: Pick<TrainingText, "sha256">): Promise<Job> {
  const [job] = await queue.list({ limit: 1, hidesSeats: true });
  if (job === undefined) {
    throw new CommandError("refused", `no run was begun in ${out}`, "leave --resume out to begin one, with --force");
  }
  // It is the first one that is handed in.
  const begunWith = job.inputs[0]?.sha256;
  if (begunWith !== text.sha256) {
    const problem = `the run in ${out} was begun with another text (SHA-256 ${begunWith})`;
    throw new CommandError("refused", problem, "give that text, or begin a run with --out in another folder");
  }
  if (isOver(job.state) && job.state !== "done") await revive(queue, job);
  return job;
}

/** A job that is begun anew forgets its checkpoint: whoever takes it may give it one, and give it back. */
async function revive(queue: JobQueue, { id, workload, checkpoint }: Job): Promise<void> {
  await queue.retry(id);
  if (checkpoint === null) return;
  const taken: JobLease[] = [];
  for (;;) {
    const lease = await queue.claim([workload], REVIVER);
    if (lease === undefined) break;
    taken.push(lease);
    if (lease.job.id !== id) continue;
    await lease.checkpoint(checkpoint);
    break;
  }
  for (const lease of taken) await lease.release();
}
