import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { arm64Node } from "./arm64-node.ts";
import { BenchError } from "./bench-error.ts";
import type { PartFindings } from "./bench-part.ts";
import type { LmPart, LmPlace } from "./lm-part.ts";
import { tensorBytes, trainByCommand } from "./lm-train-command.ts";
import { runLockstep } from "./measured-command.ts";

/** A run whose parameters are compared, as options of `lockstep lm train`. */
interface Subject {
  readonly name: string;
  readonly args: readonly string[];
}

const SONNETS = fileURLToPath(new URL("../../cloud-node/src/workloads/language-model/sonnets.txt", import.meta.url));
const STEPS = 200;
const QUICK_STEPS = 30;
/** A run is stopped after this share of its steps or a little later. */
const STOP_AT = 0.5;
const POLL_MS = 50;
/** Of a command that was interrupted. */
const INTERRUPTED_EXIT = 1;
/** What an emulated processor trains in minutes. */
const SMALL = ["model.layers=2", "model.width=32", "model.heads=2", "model.context=16", "data.rows=4"];
const NANOGPT: Subject = { name: "nanoGPT's CPU recipe", args: ["--recipe", "nanogpt-cpu"] };
const NANOCHAT: Subject = {
  name: "nanochat's recipe, 2 x 2 x 32, T 16, B 4",
  args: ["--recipe", "nanochat", ...sets(SMALL)],
};
const SMALL_GPT: Subject = {
  name: "nanoGPT's, 2 x 2 x 32, T 16, B 4",
  args: ["--recipe", "nanogpt-cpu", ...sets(SMALL)],
};

/** Parameters after so many steps: of two runs, two numbers of threads, a run that was stopped, and another processor. */
export const identityPart: LmPart = { name: "identity", run: benchIdentity };

interface HashRow {
  readonly subject: string;
  readonly how: string;
  readonly steps: number;
  readonly sha256: string;
  readonly isSame: boolean;
}

async function benchIdentity({ isQuick, folder, say }: LmPlace): Promise<PartFindings> {
  const steps = isQuick ? QUICK_STEPS : STEPS;
  const rows: HashRow[] = [];
  const notes: string[] = [];
  const add = (subject: Subject, how: string, of: number, sha256: string) => {
    const first = rows.find((row) => row.subject === subject.name && row.steps === of)?.sha256 ?? sha256;
    rows.push({ subject: subject.name, how, steps: of, sha256, isSame: sha256 === first });
    say(`${subject.name}, ${of} steps, ${how}: ${sha256.slice(0, 16)}`);
  };
  const train = async (
    subject: Subject,
    how: string,
    count: number,
    args: readonly string[],
    node?: readonly string[],
  ) => {
    const out = join(folder, `${rows.length}`);
    await trainByCommand(SONNETS, out, [...optionsOf(subject, count), ...args], node === undefined ? {} : { node });
    add(subject, how, count, hashOf(out));
  };
  for (const subject of [NANOGPT, NANOCHAT]) {
    await train(subject, "one thread", steps, ["--threads", "1"]);
    await train(subject, "one thread, again", steps, ["--threads", "1"]);
    await train(subject, "two threads", steps, ["--threads", "2"]);
    const out = join(folder, `${rows.length}`);
    const stoppedAt = await trainInTwo(subject, steps, out);
    add(subject, `stopped after step ${stoppedAt}, gone on with two threads`, steps, hashOf(out));
  }
  await train(SMALL_GPT, "one thread", steps, ["--threads", "1"]);
  await train(NANOGPT, "one thread", 1, ["--threads", "1"]);
  const arm = arm64Node();
  if ("missing" in arm) notes.push(`64-bit Arm: not measured, since ${arm.missing} is missing.`);
  else {
    const version = "64-bit Arm (user-mode QEMU), one thread";
    for (const subject of [SMALL_GPT, NANOCHAT]) await train(subject, version, steps, ["--threads", "1"], arm.line);
    if (!isQuick) await train(NANOGPT, version, 1, ["--threads", "1"], arm.line);
  }
  const differing = rows.filter(({ isSame }) => !isSame).length;
  const compared = rows.length - new Set(rows.map(({ subject, steps: of }) => `${subject}/${of}`)).size;
  return {
    tables: [
      {
        title: "Parameters and the optimizer's states (wasm-strict), SHA-256",
        columns: ["run", "steps", "how", "SHA-256 begins", ""],
        rows: rows.map((row) => [
          ...[row.subject, row.steps, row.how, row.sha256.slice(0, 16), row.isSame ? "same" : "**other**"],
        ]),
      },
    ],
    goals: [
      {
        what: "runs of the same seed whose parameters are others",
        measured: differing,
        unit: `of ${compared}`,
        must: { atMost: 0 },
      },
      {
        what: "of them on 64-bit Arm, compared",
        measured: rows.filter(({ how }) => how.startsWith("64-bit Arm")).length,
        unit: "runs",
        aimedAt: { atLeast: 1 },
      },
    ],
    notes: [
      `Identity: \`lockstep lm train sonnets.txt --out run --recipe … --steps ${steps} --threads N\`; the hash is of everything behind the checkpoint's header. Emulated is npm's Node for 64-bit Arm of the version that the repository pins, under \`qemu-aarch64\`; one step of the CPU recipe is what an emulated processor does in a minute.`,
      ...notes,
    ],
    json: { identity: rows },
  };
}

/** Stop a run by SIGINT in its middle, and go on with another number of threads. @returns after how many steps it stopped */
async function trainInTwo(subject: Subject, steps: number, out: string): Promise<number> {
  const args = ["lm", "train", SONNETS, "--out", out, ...optionsOf(subject, steps), "--threads", "1"];
  let isOver = false;
  const first = runLockstep(args, {
    codes: [INTERRUPTED_EXIT],
    onStart: async (child) => {
      while (!isOver && stepsIn(out) < STOP_AT * steps) await setTimeout(POLL_MS);
      child.kill("SIGINT");
    },
  }).finally(() => {
    isOver = true;
  });
  await first;
  const stoppedAt = stepsIn(out);
  const { steps: reached } = await trainByCommand(SONNETS, out, ["--resume", "--threads", "2"]);
  if (reached !== steps) throw new BenchError("not-the-same", { steps: reached, asked: steps });
  return stoppedAt;
}

/** As far as a run's metrics know. */
function stepsIn(out: string): number {
  const path = join(out, "metrics.jsonl");
  const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
  const last = lines.at(-1);
  return last === undefined ? 0 : (JSON.parse(last) as { step: number }).step;
}

function optionsOf({ args }: Subject, steps: number): readonly string[] {
  return [...args, "--steps", String(steps), ...sets([`evalEvery=${STEPS}`, "evalBatches=1"])];
}

function sets(settings: readonly string[]): string[] {
  return settings.flatMap((setting) => ["--set", setting]);
}

function hashOf(out: string): string {
  return createHash("sha256").update(tensorBytes(out)).digest("hex");
}
