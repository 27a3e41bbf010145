import { join } from "node:path";
import { buildStudent, distilBackbone, makeTeacher, profileTeacher } from "@lockstep/cloud-node/lab";
import type { BenchPart, PartFindings, PartPlace } from "./bench-part.ts";
import { benchRun, PRESET } from "./distillation-place.ts";

const CATEGORY = "signal";
const STEPS = 300;
/** Where the learning rate of one step is so many times too high. */
const SPIKE_AT = 150;
const FACTOR = 1e4;
/** A loss is as before where it is within so much of it. */
const AS_BEFORE = 1.1;

/** A spike of the loss, made by one step at a wild learning rate: how long the student takes to be as good as before. */
export const spikePart: BenchPart = { name: "spike", run: benchSpike };

async function benchSpike({ isQuick, folder, say }: PartPlace): Promise<PartFindings> {
  const losses: number[] = [];
  const lines: string[] = [];
  const quiet = benchRun(say);
  const run = {
    ...quiet,
    onLoss: (_: number, loss: number) => void losses.push(loss),
    onLog: (line: string) => void lines.push(line),
  };
  const at = (name: string) => join(folder, name);
  const options = isQuick ? { ...PRESET.teacher, steps: 20 } : PRESET.teacher;
  await makeTeacher(at("teacher"), { category: CATEGORY, options, seed: 42 }, quiet);
  const profile = { category: CATEGORY, teacher: at("teacher"), options: PRESET.profile, seed: 42 } as const;
  await profileTeacher(at("profile"), profile, quiet);
  // A student of one teacher may be larger than it: what is measured is how it learns.
  const student = {
    profiles: new Map([[CATEGORY, at("profile")] as const]),
    options: { ...PRESET.student, largestShare: 2 },
  };
  await buildStudent(at("student"), { ...student, seed: 1 }, quiet);
  const distil = { ...PRESET.distil, backbone: { ...PRESET.distil.backbone, steps: STEPS } };
  const sources = new Map([[CATEGORY, { teacher: at("teacher"), profile: at("profile") }] as const]);
  const disturb = (step: number) => (step === SPIKE_AT ? FACTOR : 1);
  const request = { student: at("student"), sources, options: distil, seed: 1, disturb };
  const { rollbacks, finalLoss } = await distilBackbone(at("taught"), request, run);
  const [spike] = rollbacks;
  for (const line of lines) say(line);
  const after =
    spike === undefined ? -1 : losses.slice(spike.step + 1).findIndex((loss) => loss <= AS_BEFORE * spike.expected);
  const steps = after < 0 ? Number.POSITIVE_INFINITY : after + 1;
  return {
    tables: [
      {
        title: "A spike of the loss, by one step at a learning rate ten thousand times too high",
        columns: ["", "step", "loss"],
        rows: [
          ["expected", spike?.step ?? "–", spike?.expected.toFixed(3) ?? "–"],
          ["seen", spike?.step ?? "–", spike?.loss?.toFixed(3) ?? "not finite"],
          ["rolled back to", spike?.to ?? "–", "–"],
          ["at the end", STEPS, finalLoss.toFixed(3)],
        ],
      },
    ],
    goals: [
      { what: "steps from a spike until the loss is as before", measured: steps, unit: "", must: { atMost: 100 } },
    ],
    notes: lines,
    json: { spike: { rollbacks, recoverySteps: steps } },
  };
}
