import { readFileSync } from "node:fs";
import {
  initialValues,
  OptimizerSteps,
  type ParameterSpec,
  parameterSpecs,
  parseRunConfig,
  prepareData,
  ScalarModel,
  settleModel,
} from "@lockstep/cloud-node/lab";
import { BenchError } from "./bench-error.ts";
import type { PartFindings } from "./bench-part.ts";
import type { LmPart, LmPlace } from "./lm-part.ts";
import { runPython } from "./python-peer.ts";

/** What scalar_gpt.py prints. */
interface Peer {
  readonly python: string;
  readonly losses: readonly number[];
  readonly gradients: Readonly<Record<string, readonly number[]>>;
  readonly cpuMs: number;
}

const SONNETS = new URL("../../cloud-node/src/workloads/language-model/sonnets.txt", import.meta.url);
/** The fastest step of each side counts; ours is compiled after some hundred. */
const STEPS = 1500;
const PEER_STEPS = 40;
/** Of the largest gradient of a tensor: both sides compute in doubles, with functions of their own libraries. */
const SAME = 1e-12;

/** One step of the scalar GPT beside the same in CPython. */
export const scalarPart: LmPart = { name: "scalar", run: benchScalar };

async function benchScalar({ isQuick, say }: LmPlace): Promise<PartFindings> {
  const config = parseRunConfig({ recipe: "scalar-gpt" });
  const data = prepareData(config, readFileSync(SONNETS, "utf8"));
  const modelConfig = settleModel(config.model, data.tokenizer.vocabulary);
  const steps = new OptimizerSteps(config, modelConfig);
  const model = new ScalarModel(modelConfig, config.seed);
  const specs = parameterSpecs(modelConfig);
  const ours = { losses: [] as number[], gradients: new Map<string, Float64Array>(), cpuMs: Number.POSITIVE_INFINITY };
  const batches: { inputs: number[]; targets: number[] }[] = [];
  // The rates of every step are those of the recipe's plateau: the peer has no schedule.
  const { clipNorm: _, ...update } = steps.at(config.schedule.warmup);
  for (let step = 1; step <= (isQuick ? 3 : STEPS); step++) {
    const batch = data.training.next();
    batches.push({ inputs: [...batch.inputs], targets: [...batch.targets] });
    const begun = process.cpuUsage();
    ours.losses.push((await model.train(batch, { ...update, step })).loss);
    const { user, system } = process.cpuUsage(begun);
    ours.cpuMs = Math.min(ours.cpuMs, (user + system) / 1000);
    if (step === 1) for (const { name } of specs) ours.gradients.set(name, model.gradient(name));
  }
  say(`ours ${ours.cpuMs.toFixed(2)} ms a step`);
  const weights = Object.fromEntries(specs.map((spec) => [spec.name, rowsOf(spec, config.seed)]));
  const plan = {
    config: modelConfig,
    weights,
    batches: batches.slice(0, isQuick ? 3 : PEER_STEPS),
    adamw: update.groups[0],
  };
  const peer = await runPython<Peer>("python3", "scalar_gpt.py", plan);
  if (peer === undefined) throw new BenchError("no-peer", { peer: "python3" });
  const apart = furthest(ours.gradients, peer.gradients);
  const lossApart = Math.max(...peer.losses.map((loss, at) => Math.abs(loss / (ours.losses[at] ?? Number.NaN) - 1)));
  for (const [what, difference] of Object.entries({ gradients: apart, losses: lossApart })) {
    if (!(difference <= SAME)) throw new BenchError("not-the-same", { what, difference, allowed: SAME });
  }
  const ratio = peer.cpuMs / ours.cpuMs;
  return {
    tables: [
      {
        title: "A step of the scalar GPT (forward, backward, AdamW): every number a node",
        columns: [
          "model",
          "ours, CPU ms",
          `${peer.python}, CPU ms`,
          "Python / ours",
          "gradients apart",
          "losses apart",
        ],
        rows: [
          [
            "1 x 4 x 16, T 16, one row",
            ...[ours.cpuMs, peer.cpuMs, ratio].map((x) => x.toPrecision(3)),
            ...[apart, lossApart].map((x) => x.toExponential(0)),
          ],
        ],
      },
    ],
    goals: [
      {
        what: "scalar GPT, CPython's time over ours",
        measured: ratio,
        unit: "x",
        must: { atLeast: 20 },
        aim: 50,
      },
    ],
    notes: [
      `Scalar: \`lockstep lm train TEXT --recipe scalar-gpt\` beside \`test/bench/peers/scalar_gpt.py\`: the same graph, operation by operation, from the same weights over the same rows of the sonnets; the fastest of ${STEPS} steps of ours and of ${PEER_STEPS} of CPython's.`,
    ],
    json: { scalar: { cpuMs: ours.cpuMs, pythonCpuMs: peer.cpuMs, python: peer.python, gradientsApart: apart } },
  };
}

function rowsOf(spec: ParameterSpec, seed: number): number[][] {
  const values = initialValues(spec, seed);
  const width = spec.shape.at(-1) ?? 1;
  return Array.from({ length: values.length / width }, (_, row) => [
    ...values.subarray(row * width, (row + 1) * width),
  ]);
}

/** The largest difference over all tensors, each relative to its largest number. */
function furthest(ours: ReadonlyMap<string, Float64Array>, its: Peer["gradients"]): number {
  return Math.max(
    ...[...ours].map(([name, numbers]) => {
      const largest = Math.max(...numbers.map(Math.abs));
      return Math.max(...numbers.map((x, at) => Math.abs(x - (its[name]?.[at] ?? Number.NaN)))) / largest;
    }),
  );
}
