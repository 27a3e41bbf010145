import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { VerifiedRun } from "../distillation-runs.ts";
import type { BenchGoal, BenchTable } from "./bench.ts";
import type { BenchPart, PartFindings, PartPlace } from "./bench-part.ts";
import { type CommandRun, runLockstep } from "./measured-command.ts";

/** What `distill run --json` says. */
interface RunSaid {
  readonly stages: readonly {
    readonly number: number;
    readonly name: string;
    readonly seconds: number;
    readonly peakMB: number;
  }[];
}

/** A whole run by the command, from teachers that are trained to a bundle that is asked alone. */
export const pipelinePart: BenchPart = { name: "pipeline", run: (place) => benchRun(place, place.isQuick) };

/** The run of `--quick`. */
export const quickPart: BenchPart = { name: "quick", run: (place) => benchRun(place, true) };

async function benchRun({ folder, say }: PartPlace, isQuick: boolean): Promise<PartFindings> {
  const out = join(folder, "nexus");
  const run = await runLockstep(["distill", "run", out, "--yes", "--json", ...(isQuick ? ["--quick"] : [])]);
  const { stages } = JSON.parse(run.stdout) as RunSaid;
  say(`the run is done after ${run.cpuSeconds.toFixed(0)} CPU seconds`);
  const verified = JSON.parse((await runLockstep(["distill", "verify", out, "--json"])).stdout) as VerifiedRun;
  await expectRefusal(out);
  const name = isQuick ? "quick run" : "run";
  return {
    tables: [capabilityTable(verified, name), stageTable(stages, name)],
    goals: goalsOf(verified, run, isQuick),
    notes: [
      `The ${name} took ${run.cpuSeconds.toFixed(0)} CPU seconds, without those of the processes that ask the student alone: \`lockstep distill run DIR --yes${isQuick ? " --quick" : ""}\`, then \`lockstep distill verify DIR\`, which found ${verified.findings.length} claims to hold. Retention is measured from the bundle in one byte a number, by a process that could read nothing else (network: ${verified.network}); intervals are of 95 %, by bootstrap over prompts.`,
    ],
    json: jsonOf(verified, run, isQuick),
  };
}

/** A check that could not fail would say nothing: of a bundle with one byte changed, verify must not be convinced. */
async function expectRefusal(out: string): Promise<void> {
  const path = join(out, "bundle", "student.safetensors");
  const bytes = readFileSync(path);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  writeFileSync(path, bytes);
  await runLockstep(["distill", "verify", out, "--no-measure"], { codes: [1] });
}

function capabilityTable({ report, manifest }: VerifiedRun, name: string): BenchTable {
  const share = manifest.parameters.student / manifest.parameters.teachers;
  return {
    title: `Exact answers, teachers gone, of the ${name}: a student of ${manifest.parameters.student} parameters, ${share.toFixed(3)} of its teachers' ${manifest.parameters.teachers}`,
    columns: ["capability", "prompts", "teacher", "student", "retention", "from", "to", "lost by INT8"],
    rows: report.capabilities.map(({ category, prompts, teacher, student, retention, low, high }) => [
      ...[category, prompts, teacher, student, retention.toFixed(3), low.toFixed(3), high.toFixed(3)],
      (report.quantizationLoss[category] ?? Number.NaN).toFixed(4),
    ]),
  };
}

function stageTable(stages: RunSaid["stages"], name: string): BenchTable {
  return {
    title: `Stages of the ${name}`,
    columns: ["stage", "name", "seconds", "peak MiB"],
    rows: stages.map(({ number, name: stage, seconds, peakMB }) => [number, stage, seconds.toFixed(1), peakMB]),
  };
}

function goalsOf({ report, manifest }: VerifiedRun, run: CommandRun, isQuick: boolean): BenchGoal[] {
  const { capabilities, quantizationLoss } = report;
  const name = isQuick ? "Distillation, quick" : "Distillation";
  const losses = Object.values(quantizationLoss);
  return [
    {
      what: `${name}, least retention of ${capabilities.length} capabilities, teachers gone`,
      ...{ measured: Math.min(...capabilities.map(({ retention }) => retention)), unit: "", must: { atLeast: 0.97 } },
      aim: 0.99,
    },
    {
      what: `${name}, student's parameters for each of the teachers'`,
      measured: manifest.parameters.student / manifest.parameters.teachers,
      ...{ unit: "", must: { atMost: 1 / 3 }, aim: 1 / 6 },
    },
    {
      what: `${name}, INT8 bundle for each byte of the float32 student`,
      ...{ measured: manifest.bytes / manifest.float32Bytes, unit: "x", must: { atMost: 0.28 } },
    },
    {
      // One answer of 195 is 0.0051; what another capability wins makes up for nothing.
      what: `${name}, retention lost by INT8, mean of capabilities, gains not counted`,
      measured: losses.reduce((sum, loss) => sum + Math.max(0, loss), 0) / losses.length,
      ...{ unit: "", must: { below: 0.005 } },
    },
    {
      what: `${name}, seconds of a whole run`,
      ...{ measured: run.seconds, unit: "s", must: { below: isQuick ? 180 : 1800 } },
    },
  ];
}

function jsonOf({ report, manifest }: VerifiedRun, run: CommandRun, isQuick: boolean): Record<string, unknown> {
  const found = {
    capabilities: report.capabilities.map(({ category, teacher, student, retention, low, high }) => {
      return { name: category, teacher, student, retention, ci: [low, high] };
    }),
    studentParameters: manifest.parameters.student,
    teacherParameters: manifest.parameters.teachers,
    bundleBytes: manifest.bytes,
    peakRssMB: run.peakRssMB,
    seconds: run.seconds,
  };
  return isQuick ? { quick: found } : found;
}
