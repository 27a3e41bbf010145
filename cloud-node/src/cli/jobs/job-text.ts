import { formatAge, formatCounted, formatQuantity } from "../../api/number-text.ts";
import type { JobAnswer, JobRow } from "../../api/schemas/job-schema.ts";
import { plainText } from "./plain-text.ts";

const SHORT_ID = 12;

/** What `--json` says of a job. */
export function shownJob({ id, state, progress, attempts, result, error }: JobAnswer) {
  return { id, state, progress, attempts, result, error };
}

/** What `--json` says of a job in a list. */
export function listedJob({ id, workload, state, progress, attempts, error }: JobRow) {
  return { id, workload, state, progress, attempts, error };
}

/** How a job stands, in a few words. */
export function stateText(job: JobRow | JobAnswer): string {
  const { state, attempts, maxAttempts, error, progress, isCancelling } = job;
  if (isCancelling && state === "running") return "running, told to end";
  if (state === "failed" || state === "dead") return `${state}: ${plainText(error?.message ?? "")}`;
  if (state === "queued" && error !== null)
    return `queued, attempt ${attempts + 1} of ${maxAttempts} after: ${plainText(error.message)}`;
  if (state !== "running") return state;
  const { fraction = null, note = "" } = progress ?? {};
  const share = fraction === null ? "" : ` ${Math.floor(fraction * 100)} %`;
  return `running${share}${note === "" ? "" : `  ${plainText(note)}`}`;
}

/** A table of jobs. @param nowMs  Unix time */
export function jobTable(jobs: readonly (JobRow | JobAnswer)[], nowMs: number): string {
  if (jobs.length === 0) return "there are no such jobs; hand one in with `lockstep jobs submit`";
  const rows = jobs.map((job) => [
    job.id.slice(0, SHORT_ID),
    job.workload,
    formatAge(nowMs - job.submittedMs),
    stateText(job),
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, i) => (i < 3 ? cell.padEnd(widths[i] ?? 0) : cell)).join("  ")).join("\n");
}

/** All of a job, for a person. @param log  what it said */
export function jobLines(job: JobAnswer, log: readonly string[], nowMs: number): string {
  const { id, workload, params, inputs, result, error, attempts, maxAttempts, worker } = job;
  const lines = [
    `job       ${id}`,
    `workload  ${workload}  ${plainText(JSON.stringify(params))}`,
    `state     ${stateText(job)}${worker === null ? "" : `  by ${plainText(worker)}`}`,
    `attempts  ${attempts} of ${maxAttempts}`,
    `submitted ${sinceText(nowMs - job.submittedMs)}${spent(job)}`,
    ...inputs.map((blob) => `input     ${plainText(blob.name)}  ${formatQuantity(blob.bytes, "B")}`),
  ];
  if (result !== null) {
    lines.push(`result    ${plainText(JSON.stringify(result.value))}`);
    for (const blob of result.outputs)
      lines.push(`output    ${plainText(blob.name)}  ${formatQuantity(blob.bytes, "B")}`);
  }
  if (error !== null) lines.push(`error     ${error.code} in attempt ${error.attempt}: ${plainText(error.message)}`);
  if (log.length > 0) lines.push("", ...log.map(plainText));
  return lines.join("\n");
}

/** How long ago something was. */
function sinceText(ageMs: number): string {
  const age = formatAge(ageMs);
  return age === "now" ? age : `${age} ago`;
}

/** What became of jobs, in one line. */
export function endedText(jobs: readonly { readonly state: string }[]): string {
  const states = [...new Set(jobs.map(({ state }) => state))].sort();
  const parts = states.map((state) => `${jobs.filter((job) => job.state === state).length} ${state}`);
  return `${formatCounted(jobs.length, "job")}: ${parts.join(", ")}`;
}

function spent({ startedMs, endedMs }: JobAnswer): string {
  return startedMs === null || endedMs === null ? "" : `, took ${formatQuantity((endedMs - startedMs) / 1000, "s")}`;
}
