import type { KnownJobs, LiveJob } from "./job-watch.ts";

/** What changed among the newest jobs since the message before; the first one is whole. */
export interface JobsUpdate {
  readonly isWhole: boolean;
  /** Why the queue cannot be read now; null: it can. What is shown is then as it was. */
  readonly problem: string | null;
  /** Ids of all that are shown, in order: one that is not among them any more is forgotten. Null: they are the same. */
  readonly ids: readonly string[] | null;
  /** Those that changed, each whole. */
  readonly jobs: readonly LiveJob[];
}

/** Follows the newest jobs for one reader, and says what is new. */
export class JobFeed {
  #sent: ReadonlyMap<string, LiveJob> | undefined;
  #ids = "";
  #problem: string | null = null;

  /** @returns undefined: nothing is */
  next({ jobs, problem }: KnownJobs): JobsUpdate | undefined {
    const known = jobs ?? [...(this.#sent?.values() ?? [])];
    if (jobs === undefined && problem === null) return undefined;
    const before = this.#sent;
    const changed = known.filter((job) => before?.get(job.id) !== job);
    const ids = known.map(({ id }) => id);
    const order = ids.join();
    if (before !== undefined && changed.length === 0 && order === this.#ids && problem === this.#problem) {
      return undefined;
    }
    const isSame = before !== undefined && order === this.#ids;
    this.#sent = new Map(known.map((job) => [job.id, job]));
    this.#ids = order;
    this.#problem = problem;
    return { isWhole: before === undefined, problem, ids: isSame ? null : ids, jobs: changed };
  }
}

/** Put an update to what a reader has of the jobs. */
export function applyJobsUpdate(before: readonly LiveJob[] | undefined, update: JobsUpdate): readonly LiveJob[] {
  const known = new Map((update.isWhole ? [] : (before ?? [])).map((job) => [job.id, job]));
  for (const job of update.jobs) known.set(job.id, job);
  return (update.ids ?? [...known.keys()]).flatMap((id) => known.get(id) ?? []);
}
