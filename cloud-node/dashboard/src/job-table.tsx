import type { LiveJob } from "../../src/api/job-watch.ts";
import { Age } from "./age.tsx";
import { JobProgress } from "./job-progress.tsx";
import { JobState } from "./job-state.tsx";

interface JobTableProps {
  readonly jobs: readonly LiveJob[];
  readonly nowUs: number;
  /** The one that is shown in full. */
  readonly chosen: string | undefined;
  choose(id: string): void;
}

const US_PER_MS = 1_000;

/** What people call a job: its kind, and the beginning of its id, as commands take it. */
export function jobName({ workload, id }: Pick<LiveJob, "workload" | "id">): string {
  return `${workload} ${id.slice(0, 8)}`;
}

/** The newest jobs, newest first. */
export function JobTable({ jobs, nowUs, chosen, choose }: JobTableProps) {
  return (
    <table class="values fleet jobs">
      <caption class="unseen">Jobs</caption>
      <thead>
        <tr>
          <th scope="col">Status</th>
          <th scope="col">Job</th>
          <th scope="col">Progress</th>
          <th scope="col" class="from-640 number">
            Handed in
          </th>
          <th scope="col" class="from-1024 number">
            Attempts
          </th>
          <th scope="col" class="from-1024">
            Worker
          </th>
        </tr>
      </thead>
      <tbody>
        {jobs.map((job) => (
          <tr key={job.id} class={job.state === "cancelled" ? "old" : ""}>
            <td>
              <JobState job={job} />
            </td>
            <th scope="row">
              <a
                class="device"
                href={`?view=jobs&job=${job.id}`}
                aria-current={job.id === chosen ? "true" : undefined}
                onClick={(event) => {
                  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
                  event.preventDefault();
                  choose(job.id);
                }}
              >
                {jobName(job)}
              </a>
            </th>
            <td class="wrapped">
              <JobProgress job={job} name={jobName(job)} nowUs={nowUs} />
            </td>
            <td class="from-640 number">
              <Age atUs={job.submittedMs * US_PER_MS} nowUs={nowUs} />
            </td>
            <td class="from-1024 number">
              {job.attempts} of {job.maxAttempts}
            </td>
            <td class="from-1024 wrapped">{job.worker ?? "–"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
