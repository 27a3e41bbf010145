import { useEffect, useRef, useState } from "preact/hooks";
import type { LiveJob } from "../../src/api/job-watch.ts";
import { formatQuantity } from "../../src/api/number-text.ts";
import type { JobAnswer } from "../../src/api/schemas/job-schema.ts";
import { DistillationView } from "./distillation-view.tsx";
import { changeJob, useJobFacts } from "./job-facts.ts";
import { JobProgress } from "./job-progress.tsx";
import { JobState } from "./job-state.tsx";
import { jobName } from "./job-table.tsx";

interface JobDetailsProps {
  readonly id: string;
  /** As the list has it; undefined: it is older than what the list shows. */
  readonly live: LiveJob | undefined;
  readonly mayChange: boolean;
  readonly nowUs: number;
  close(): void;
}

/** Kinds of work that are shown by more than their facts, by name. */
const VIEWS: Readonly<Record<string, typeof DistillationView>> = { distillation: DistillationView };

/** One job: what it was given, how far it is, what it said, what it left. */
export function JobDetails({ id, live, mayChange, nowUs, close }: JobDetailsProps) {
  const version = live && `${live.state} ${live.attempts} ${live.isCancelling} ${live.loggedLines}`;
  const { job, log, failure } = useJobFacts(id, version);
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), [id]);
  const shown = live ?? job;
  const View = job === undefined ? undefined : VIEWS[job.workload];
  return (
    <section class="panel job-details" aria-labelledby="job-title">
      <div class="bar-line">
        <h2 id="job-title" tabIndex={-1} ref={title}>
          {shown === undefined ? id.slice(0, 8) : jobName(shown)}
        </h2>
        {shown !== undefined && <JobState job={shown} />}
        {shown !== undefined && <JobProgress job={shown} name={jobName(shown)} nowUs={nowUs} />}
        {shown !== undefined && <Actions job={shown} mayChange={mayChange} />}
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
      {failure !== undefined && (
        <p class="pad bad wrapped" role="status">
          {failure}
        </p>
      )}
      {job !== undefined && View !== undefined && <View key={id} job={job} progress={shown?.progress ?? null} />}
      {job !== undefined && <Facts job={job} />}
      <h3 class="pad">Log</h3>
      {log.length === 0 ? (
        <p class="note pad">It has said nothing yet.</p>
      ) : (
        // Longer than the panel as a rule, so that keys must be able to scroll it.
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls is reached by keys
        <section class="job-log" tabIndex={0} aria-label={`Log of ${id.slice(0, 8)}`}>
          <pre>{log.join("\n")}</pre>
        </section>
      )}
    </section>
  );
}

function Actions({
  job,
  mayChange,
}: {
  readonly job: Pick<LiveJob, "id" | "state" | "isCancelling">;
  readonly mayChange: boolean;
}) {
  const [problem, setProblem] = useState<string | undefined>();
  const { id, state, isCancelling } = job;
  const verb = state === "queued" || state === "running" ? "cancel" : state === "done" ? undefined : "retry";
  if (verb === undefined) return null;
  if (!mayChange) return <code>{`lockstep jobs ${verb} ${id.slice(0, 8)} --queue ${location.origin}`}</code>;
  return (
    <>
      <button type="button" disabled={isCancelling} onClick={() => void changeJob(id, verb).then(setProblem)}>
        {verb === "cancel" ? "Cancel job" : "Retry"}
      </button>
      <span class="bad" role="status">
        {problem ?? ""}
      </span>
    </>
  );
}

function Facts({ job }: { readonly job: JobAnswer }) {
  const { id, params, inputs, result, error, attempts, maxAttempts, worker } = job;
  return (
    <dl class="job-facts">
      <Fact name="Id">{id}</Fact>
      <Fact name="Parameters">{JSON.stringify(params)}</Fact>
      <Fact name="Inputs">
        {inputs.length === 0
          ? "none"
          : inputs.map(({ name, bytes }) => `${name}, ${formatQuantity(bytes, "B")}`).join("; ")}
      </Fact>
      <Fact name="Attempts">{`${attempts} of ${maxAttempts}`}</Fact>
      {worker !== null && <Fact name="Worker">{worker}</Fact>}
      {error !== null && <Fact name="Error">{`${error.code}, attempt ${error.attempt}: ${error.message}`}</Fact>}
      {result !== null && <Fact name="Result">{JSON.stringify(result.value)}</Fact>}
      {result !== null && result.outputs.length > 0 && (
        <Fact name="Outputs">
          <ul class="job-outputs">
            {result.outputs.map(({ name, sha256, bytes }) => (
              <li key={name}>
                <a href={`/api/v1/blobs/${sha256}`} download={name}>
                  {name}
                </a>{" "}
                {formatQuantity(bytes, "B")}
              </li>
            ))}
          </ul>
        </Fact>
      )}
    </dl>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
