import type { LiveJob } from "../../src/api/job-watch.ts";
import type { JobAnswer } from "../../src/api/schemas/job-schema.ts";

/** Loss at a step of learning, nats. */
export interface LossPoint {
  readonly step: number;
  readonly loss: number;
}

/** What of a teacher's capability was kept. */
export interface KeptCapability {
  readonly category: string;
  readonly retention: number;
  readonly low: number;
  readonly high: number;
}

/** What the page shows of a step of a distillation. */
export interface DistillationFacts {
  /** Number of its stage; undefined: nobody has begun it. */
  readonly stage: number | undefined;
  readonly step: string;
  /** In order; of a job that is done all that were looked at, else what its progress says now. */
  readonly losses: readonly LossPoint[];
  readonly capabilities: readonly KeptCapability[];
}

/** A job of the workload `distillation`, as far as it tells what it is; whatever else is in it is left out. */
export function distillationFacts(
  job: Pick<JobAnswer, "params" | "result">,
  progress: LiveJob["progress"],
): DistillationFacts {
  const { stage: running, step: at, loss } = progress?.metrics ?? {};
  const result = recordOf(job.result?.value);
  const facts = recordOf(result.facts);
  const step = recordOf(job.params).step;
  const looks = listOf(facts.looks).filter(isLoss);
  const now = at === undefined || loss === undefined ? [] : [{ step: at, loss }];
  // The gate tells of the student, the bundle of itself.
  const capabilities = [...listOf(facts.measured), ...listOf(facts.capabilities)].filter(isKept);
  return {
    stage: typeof result.stage === "number" ? result.stage : running,
    step: typeof step === "string" ? step : "",
    losses: looks.length > 0 ? looks : now,
    capabilities,
  };
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isLoss(value: unknown): value is LossPoint {
  const { step, loss } = recordOf(value);
  return Number.isFinite(step) && Number.isFinite(loss);
}

function isKept(value: unknown): value is KeptCapability {
  const { category, retention, low, high } = recordOf(value);
  return typeof category === "string" && [retention, low, high].every(Number.isFinite);
}
