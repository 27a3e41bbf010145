import { readEvidence, type StepEvidence } from "./evidence.ts";
import { foundDone } from "./run-steps.ts";
import { STAGES, type StageName } from "./stages.ts";
import type { Step } from "./step.ts";

/** How far a stage is. */
export interface StageStatus {
  readonly number: number;
  readonly name: StageName;
  readonly what: string;
  readonly state: "waiting" | "begun" | "done";
  readonly steps: number;
  readonly done: number;
  readonly seconds: number;
  /** MiB of resident memory, of the step that took most. */
  readonly peakMB: number;
  /** Steps, with what evidence has of those that are done. */
  readonly evidence: readonly StepEvidence[];
}

/**
 * How far each stage of a run is, by its evidence and by what is there.
 *
 * @throws {DistillationError} `bad-evidence`, `changed-output`
 */
export async function runStatus(folder: string, steps: readonly Step[]): Promise<StageStatus[]> {
  const all: StageStatus[] = [];
  for (const { number, name, what } of STAGES) {
    const own = steps.filter(({ stage }) => stage === name);
    const known = (await readEvidence(folder, name))?.steps ?? [];
    const evidence: StepEvidence[] = [];
    for (const step of own) {
      // What is not there yet cannot be asked whether it is what it was.
      const found = known.some((each) => each.name === step.name) ? await foundDone(folder, step) : undefined;
      if (found !== undefined) evidence.push(found);
    }
    const done = evidence.length;
    const state = done === own.length ? "done" : done > 0 ? "begun" : "waiting";
    const seconds = evidence.reduce((sum, { measured }) => sum + measured.seconds, 0);
    const peakMB = Math.max(0, ...evidence.map(({ measured }) => measured.peakMB));
    all.push({ number, name, what, state, steps: own.length, done, seconds, peakMB, evidence });
  }
  return all;
}

const MARKS = { waiting: "( )", begun: "(-)", done: "(x)" } as const;
const BAR_CELLS = 20;

/**
 * Stages as a small picture of lines.
 *
 *     (x) -1 prepare       4/4    12.1 s   182 MiB  teachers are there, or are made
 *      |
 *     (-)  0 lock          ...
 */
export function statusDiagram(stages: readonly StageStatus[]): string {
  const width = Math.max(...STAGES.map(({ name }) => name.length));
  const lines = stages.map(({ number, name, what, state, steps, done, seconds, peakMB }) => {
    const cost = done === 0 ? " ".repeat(19) : `${seconds.toFixed(1).padStart(8)} s ${String(peakMB).padStart(4)} MiB`;
    return `${MARKS[state]} ${String(number).padStart(2)} ${name.padEnd(width)} ${`${done}/${steps}`.padStart(5)} ${cost}  ${what}`;
  });
  return lines.join("\n |\n");
}

/** Retention of every capability as bars, where the gate has been. */
export function retentionBars(stages: readonly StageStatus[]): string[] {
  const gate = stages.find(({ name }) => name === "removal")?.evidence[0];
  const capabilities = gate?.facts.capabilities;
  if (!Array.isArray(capabilities)) return [];
  return (capabilities as { category: string; retention: number; low: number; high: number }[]).map((one) => {
    const { category, retention, low, high } = one;
    const cells = Math.min(BAR_CELLS, Math.round(retention * BAR_CELLS));
    const bar = `[${"#".repeat(cells)}${".".repeat(BAR_CELLS - cells)}]`;
    return `${category.padEnd(11)} ${bar} ${retention.toFixed(3)}  (95 %: ${low.toFixed(3)} to ${high.toFixed(3)})`;
  });
}
