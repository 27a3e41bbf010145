import { useRef, useState } from "preact/hooks";
import type { LiveJob } from "../../src/api/job-watch.ts";
import { formatCounted } from "../../src/api/number-text.ts";
import { JobDetails } from "./job-details.tsx";
import { useMayChange } from "./job-facts.ts";
import { JobTable } from "./job-table.tsx";
import { useKeysBetween } from "./link-keys.ts";
import { Loading } from "./loading.tsx";
import type { SessionFacts } from "./session.ts";

/** What the stream tells of jobs. */
export interface ShownJobs {
  readonly jobs: readonly LiveJob[];
  /** Why the queue cannot be read now; null: it can. */
  readonly problem: string | null;
}

interface JobsViewProps {
  readonly shown: ShownJobs | undefined;
  readonly nowUs: number;
  readonly session: SessionFacts;
  /** The job that is shown in full. */
  readonly chosen: string | undefined;
  choose(id: string | undefined): void;
}

const GROUPS = [
  ["", "all"],
  ["queued,running", "under way"],
  ["failed,dead", "not done"],
  ["done", "done"],
  ["cancelled", "cancelled"],
] as const;

/** Heavy work: how each of the newest jobs stands. */
export function JobsView({ shown, nowUs, session, chosen, choose }: JobsViewProps) {
  const [group, setGroup] = useState("");
  const mayChange = useMayChange(session);
  useKeysBetween(".jobs a.device");
  const title = useRef<HTMLHeadingElement>(null);
  if (shown === undefined) return <Loading title="Jobs" awaited="the jobs" />;
  const { jobs, problem } = shown;
  const matching = group === "" ? jobs : jobs.filter(({ state }) => group.split(",").includes(state));
  const count = (...states: LiveJob["state"][]): number => jobs.filter(({ state }) => states.includes(state)).length;
  // Whoever came from a link goes on there.
  const close = (): void => {
    const link = document.querySelector<HTMLElement>(`.jobs a.device[aria-current="true"]`);
    (link ?? title.current)?.focus();
    choose(undefined);
  };
  return (
    <main>
      <h1 class="unseen" tabIndex={-1} ref={title}>
        Jobs
      </h1>
      <ul class="summary values" aria-label="The newest jobs">
        <li>
          <b>{count("running")}</b> running
        </li>
        <li>
          <b>{count("queued")}</b> queued
        </li>
        <li class={count("failed", "dead") > 0 ? "bad" : ""}>
          <b>{count("failed", "dead")}</b> failed
        </li>
        <li>
          <b>{count("done")}</b> done
        </li>
      </ul>
      <div role="status">{problem !== null && <p class="banner bad-edge">{problem}</p>}</div>
      {chosen !== undefined && (
        <JobDetails
          id={chosen}
          live={jobs.find(({ id }) => id === chosen)}
          mayChange={mayChange}
          nowUs={nowUs}
          close={close}
        />
      )}
      {jobs.length === 0 ? (
        problem === null && <NoJobs />
      ) : (
        <section class="panel">
          <div class="bar-line">
            <label>
              <span class="unseen">Jobs shown</span>
              <select value={group} onChange={({ currentTarget }) => setGroup(currentTarget.value)}>
                {GROUPS.map(([value, text]) => (
                  <option key={value} value={value}>
                    {text}
                  </option>
                ))}
              </select>
            </label>
            <span class="note">of the newest {formatCounted(jobs.length, "job")}</span>
          </div>
          <JobTable jobs={matching} nowUs={nowUs} chosen={chosen} choose={choose} />
          {matching.length === 0 && <p class="note pad">No job matches.</p>}
        </section>
      )}
    </main>
  );
}

function NoJobs() {
  const command = `lockstep jobs submit telemetry drive.csv --param eps=0.05 --queue ${location.origin}`;
  return (
    <section class="panel empty">
      <p>No job has been handed in yet. Hand one in:</p>
      <p class="command">
        <code>{command}</code>
      </p>
    </section>
  );
}
