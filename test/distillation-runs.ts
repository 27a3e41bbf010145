import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LockstepProcess } from "./end-to-end/lockstep-process.ts";

export const REGISTRY = "ModelName-Parameters-Category-BestFeature.csv";
/** In their order, as a run names them. */
export const STAGES = [
  ...(["prepare", "lock", "registry", "profiling", "synthesis"] as const),
  ...(["distillation", "removal", "bundle", "cleanup"] as const),
];

/** Two teachers that know a little, and a student that keeps some of it: a run that shows how, and not how well. */
export const TINY_CONFIG = `
preset: quick
prompts: 24
limits: { teacher: 0.05, retention: 0.05, retries: 1, studentShare: 1 }
teacher: { size: { layers: 2, heads: 2, kvHeads: 1, width: 32, hidden: 64 }, steps: 120, tokens: 512 }
student: { size: { layers: 2, heads: 2, kvHeads: 1, width: 32, hidden: 48 } }
distil:
  checkEvery: 10
  backbone: { steps: 120, tokens: 384 }
  adapters: { steps: 20 }
  joint: { steps: 20 }
`;
export const TINY_TEACHERS = `ModelName,Parameters,Category,BestFeature
stethoscope,23K,signal,waves by their shape
almanac,23K,facts,rivers and towns
`;

/** A capability as `distill verify` tells it. */
interface VerifiedCapability {
  readonly category: string;
  readonly prompts: number;
  readonly teacher: number;
  readonly student: number;
  readonly retention: number;
  readonly low: number;
  readonly high: number;
}

/** What `distill verify --json` says. */
export interface VerifiedRun {
  readonly findings: readonly { readonly claim: string; readonly checked: number }[];
  readonly manifest: {
    readonly parameters: { readonly student: number; readonly teachers: number };
    readonly bytes: number;
    readonly float32Bytes: number;
  };
  readonly report: {
    readonly capabilities: readonly VerifiedCapability[];
    readonly quantizationLoss: Readonly<Record<string, number>>;
  };
  readonly network: string;
}

/** A folder in which that run may begin. */
export function beginTinyRun(folder: string): void {
  mkdirSync(folder);
  writeFileSync(join(folder, "distill.yaml"), TINY_CONFIG);
  writeFileSync(join(folder, REGISTRY), TINY_TEACHERS);
}

/** Begin a run again and again, and kill it with SIGKILL as soon as it is in the next stage. */
export async function killInEveryStage(folder: string): Promise<void> {
  for (const stage of STAGES) {
    const process = new LockstepProcess("distill", "run", folder, "--yes");
    await process.said(new RegExp(`stage -?\\d ${stage}`));
    process.child.kill("SIGKILL");
    await process.finished();
  }
}

/** Every plain file below a folder. */
export function filesBelow(top: string): string[] {
  return readdirSync(top, { recursive: true, encoding: "utf8" })
    .filter((path) => statSync(join(top, path)).isFile())
    .sort();
}

/** Everything that a run left, by SHA-256: evidence without how long this one took, and how much memory. */
export function contentOf(run: string): Record<string, string> {
  const entries = filesBelow(run)
    .filter((path) => path !== "run.log")
    .map((path) => {
      const text = readFileSync(join(run, path), "latin1");
      const content = path.startsWith("evidence") ? text.replace(/"measured": \{[^}]*\}/g, "") : text;
      return [path, createHash("sha256").update(content).digest("hex")];
    });
  return Object.fromEntries(entries) as Record<string, string>;
}
