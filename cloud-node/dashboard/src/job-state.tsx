import type { LiveJob } from "../../src/api/job-watch.ts";

/** A state as a shape and a word: never as a colour alone. */
const SHAPES: Readonly<Record<string, { readonly word: string; readonly path: string; readonly isOutline?: boolean }>> =
  {
    queued: { word: "Queued", path: "M6 1.2a4.8 4.8 0 1 0 0 9.6 4.8 4.8 0 0 0 0-9.6Z", isOutline: true },
    running: { word: "Running", path: "M2 1 11 6 2 11Z" },
    done: { word: "Done", path: "M1 6.5 4.5 10 11 2", isOutline: true },
    failed: { word: "Failed", path: "M6 1 11.5 11H.5Z" },
    dead: { word: "Dead", path: "M1.5 1.5 10.5 10.5M10.5 1.5 1.5 10.5", isOutline: true },
    cancelled: { word: "Cancelled", path: "M2 2h8v8H2Z", isOutline: true },
  };

/** How a job stands, with its shape before it. */
export function JobState({ job }: { readonly job: Pick<LiveJob, "state" | "isCancelling"> }) {
  const { state, isCancelling } = job;
  // A node newer than this page may know more states.
  const { word, path, isOutline = false } = SHAPES[state] ?? { word: state, path: SHAPES.queued?.path ?? "" };
  return (
    <span class={`state job-${state}`}>
      <svg viewBox="0 0 12 12" aria-hidden="true">
        <path
          d={path}
          fill={isOutline ? "none" : "currentColor"}
          stroke={isOutline ? "currentColor" : "none"}
          stroke-width="2"
        />
      </svg>
      {state === "running" && isCancelling ? "Ending" : word}
    </span>
  );
}
