import { useEffect, useRef, useState } from "preact/hooks";
import type { JobAnswer } from "../../src/api/schemas/job-schema.ts";
import type { SessionAnswer } from "../../src/api/schemas/session-schema.ts";
import { ask } from "./history-client.ts";
import type { SessionFacts } from "./session.ts";

/** All that is known of one job, with what it said. */
export interface JobFacts {
  readonly job: JobAnswer | undefined;
  readonly log: readonly string[];
  /** Why it cannot be shown. */
  readonly failure: string | undefined;
}

const NOTHING: JobFacts = { job: undefined, log: [], failure: undefined };
/** Asked for again at most so often, ms. */
const PACE_MS = 500;
/** What did not come is asked for again after so long, ms; and so is a job of which no list tells anything. */
const AGAIN_MS = 2_000;
const OVER: ReadonlySet<string> = new Set(["done", "failed", "dead", "cancelled"]);

/**
 * One job in full: asked for anew whenever the list says that something is new.
 *
 * @param version  another one whenever that is so; undefined: the list does not have it
 */
export function useJobFacts(id: string, version: string | undefined): JobFacts {
  const [facts, setFacts] = useState<JobFacts>(NOTHING);
  const wanted = useRef(version);
  wanted.current = version;
  useEffect(() => {
    setFacts(NOTHING);
    const stop = new AbortController();
    let timer = 0;
    let shown: string | undefined;
    let loaded: Loaded = "nothing";
    let againMs = 0;
    // Of a job that says something all the time the newest is asked for again and again, and never waited for in vain.
    const look = async (): Promise<void> => {
      const isNew = wanted.current !== shown;
      // One that is over changes nothing by itself; whoever begins it anew puts it into the list.
      const mayBeNew = loaded === "nothing" || (wanted.current === undefined && loaded === "under way");
      if (isNew || (mayBeNew && performance.now() >= againMs)) {
        shown = wanted.current;
        loaded = await load(id, stop.signal, setFacts);
        againMs = performance.now() + AGAIN_MS;
      }
      if (!stop.signal.aborted) timer = window.setTimeout(() => void look(), PACE_MS);
    };
    void look();
    return () => {
      stop.abort();
      window.clearTimeout(timer);
    };
  }, [id]);
  return facts;
}

/** What came of a question for a job. */
type Loaded = "nothing" | "under way" | "over";

async function load(
  id: string,
  signal: AbortSignal,
  show: (change: (before: JobFacts) => JobFacts) => void,
): Promise<Loaded> {
  const [job, log] = await Promise.all([
    ask<JobAnswer>(`jobs/${id}`, signal),
    ask<{ readonly lines: readonly string[] }>(`jobs/${id}/log`, signal),
  ]);
  if (job === undefined || log === undefined) return "nothing";
  show((before) =>
    "failure" in job
      ? { ...before, failure: job.failure.text }
      : { job: job.answer, log: "answer" in log ? log.answer.lines : before.log, failure: undefined },
  );
  if ("failure" in job || "failure" in log) return "nothing";
  return OVER.has(job.answer.state) ? "over" : "under way";
}

/**
 * Whether this page may change jobs: whoever logged in with a token for that. Where nobody has to log in no page may, because
 * nothing tells ours from another one.
 */
export function useMayChange({ state, name }: SessionFacts): boolean {
  const [may, setMay] = useState(false);
  useEffect(() => {
    setMay(false);
    if (state !== "in") return;
    const stop = new AbortController();
    void ask<SessionAnswer>("session", stop.signal).then((asked) => {
      if (asked !== undefined && "answer" in asked) setMay(asked.answer.roles.includes("jobs"));
    });
    return () => stop.abort();
  }, [state, name]);
  return may;
}

/** Let a job end, or begin anew. @returns what is wrong; undefined when all is well */
export async function changeJob(id: string, verb: "cancel" | "retry"): Promise<string | undefined> {
  try {
    const response = await fetch(`/api/v1/jobs/${id}/${verb}`, { method: "POST" });
    if (response.ok) return undefined;
    const { detail } = (await response.json()) as { readonly detail?: string };
    return detail ?? `the node said ${response.status}`;
  } catch {
    return "The node does not answer. Is it running?";
  }
}
