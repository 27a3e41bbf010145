import { createReadStream } from "node:fs";
import { setTimeout } from "node:timers/promises";
import type { Job } from "@lockstep/cloud-node";
import { RECIPES } from "@lockstep/cloud-node/lab";
import { BenchError } from "./bench-error.ts";
import type { BenchPart, PartFindings } from "./bench-part.ts";
import { CutNetwork } from "./cut-network.ts";
import type { TrainPlace } from "./gradient-train-speed.ts";
import { type CommandProcess, JobsRig } from "./jobs-rig.ts";

/** What is trained: as long as the goals say, or as little as shows that it works. */
const SCALES = {
  full: { config: { ...RECIPES["nanogpt-cpu"], steps: 1000, evalEvery: 100 }, seeds: [1, 2, 3] },
  quick: {
    config: {
      model: { layers: 2, heads: 2, width: 64, context: 32 },
      ...{ data: { rows: 12 }, schedule: { warmup: 40 }, optimizer: { learningRate: 2e-3 } },
      ...{ steps: 2000, evalEvery: 500, evalBatches: 10 },
    },
    seeds: [1, 2],
  },
} as const;

const NOTHING = "nothing";
const COMPRESS = "sync-50";
/** A worker that is not heard of for so long is somebody else's to replace: soon where one is killed, later than its link is back. */
const KILL_LEASE_MS = 2_000;
const CUT_LEASE_MS = 15_000;
/** A step waits so long for a worker whose link is cut. */
const PATIENCE_SECONDS = 2;
const CUT_MS = 10_000;
/** Of all steps, before something happens. */
const BEFORE = 0.3;
const LOOK_MS = 50;

/** Both workers' machines, and what a fault needs to know of a training. */
interface Stage {
  readonly rig: JobsRig;
  readonly id: string;
  /** Who is not place 0. */
  readonly other: CommandProcess;
  readonly first: CommandProcess;
  readonly start: () => Promise<CommandProcess>;
}

/** What became of a training. */
interface Ended {
  readonly what: string;
  readonly seed: number;
  readonly valLoss: number;
  /** Contributions that steps went on without, of so many. */
  readonly missing: number;
  readonly of: number;
  readonly attempts: number;
  /** Whether a worker came back, or another one came, before the end. */
  readonly isWholeAgain: boolean;
}

/** Trainings of two workers in processes of their own, by a queue of NATS JetStream, that something is done to. */
export const faultsPart: BenchPart<TrainPlace> = { name: "faults", run: measureFaults };

async function measureFaults({ text, isQuick, say }: TrainPlace): Promise<PartFindings> {
  const { config, seeds } = isQuick ? SCALES.quick : SCALES.full;
  const ended: Ended[] = [];
  const add = (one: Ended) => {
    ended.push(one);
    say(`${one.what}, seed ${one.seed}: ${one.valLoss.toFixed(4)} nats, ${one.missing} of ${one.of} missing`);
  };
  const train = (what: string, seed: number, hurt: Hurt, network?: CutNetwork) =>
    trainHurt({ what, text, config: { ...config, seed }, seed, hurt }, network);
  for (const seed of seeds) add(await train(NOTHING, seed, async () => {}));
  add(await train("kill -9 of a worker, another started", 1, killOther));
  add(await train("kill -9 of place 0, another started", 1, killFirst));
  const network = new CutNetwork();
  try {
    add(await train(`its link cut for ${CUT_MS / 1000} s`, 1, cutOther(network), network));
  } finally {
    network.remove();
  }
  const usual = ended.filter(({ what }) => what === NOTHING).map(({ valLoss }) => valLoss);
  const [least, most] = [Math.min(...usual), Math.max(...usual)];
  const hurt = ended.filter(({ what }) => what !== NOTHING);
  return {
    tables: [
      {
        title: `Trainings of ${config.steps} steps with ${COMPRESS}, hurt at ${100 * BEFORE} % of them`,
        columns: ["what happened", "seed", "val loss", "contributions missing", "of", "attempts", "whole again"],
        rows: ended.map(({ what, seed, valLoss, missing, of, attempts, isWholeAgain }) => [
          ...[what, seed, valLoss.toFixed(4), missing, of, attempts],
          what === NOTHING ? "" : isWholeAgain ? "yes" : "no",
        ]),
      },
    ],
    goals: hurt.flatMap(({ what, valLoss, isWholeAgain }) => [
      {
        what: `loss above the worst of ${seeds.length} seeds, whose spread is ${(most - least).toFixed(4)}: ${what}`,
        ...{ measured: Math.max(0, valLoss - most), unit: "nats", must: { atMost: 0 } },
      },
      { what: `two workers again: ${what}`, measured: isWholeAgain ? 1 : 0, unit: "", must: { atLeast: 1 } },
    ]),
    notes: [
      `Faults: \`lockstep worker\` processes with a thread each and a lease of ${KILL_LEASE_MS / 1000} s, with the cut link of ${CUT_LEASE_MS / 1000} s, a queue of NATS JetStream, patience ${PATIENCE_SECONDS} s; the link is a pair of network interfaces of which one is taken down, with the queue's connection on it, too.`,
    ],
    json: { faults: { steps: config.steps, compress: COMPRESS, seeds, least, most, runs: ended } },
  };
}

type Hurt = (stage: Stage) => Promise<void>;

/** @param network  between place 0 and the other worker, where there is one */
async function trainHurt(
  run: {
    readonly what: string;
    readonly text: string;
    readonly config: object;
    readonly seed: number;
    readonly hurt: Hurt;
  },
  network?: CutNetwork,
): Promise<Ended> {
  const { what, text, seed, hurt } = run;
  const host = network?.host ?? "127.0.0.1";
  const leaseMs = network === undefined ? KILL_LEASE_MS : CUT_LEASE_MS;
  const rig = await JobsRig.start("JetStream", { leaseMs, host });
  try {
    const start = () => rig.worker(["--workloads", "gradient", "--channel-host", host]);
    const first = await start();
    const blob = await rig.open.blobs.put((from) => createReadStream(text, { start: from }));
    const params = { config: run.config as never, workers: 2, compress: COMPRESS, patience: PATIENCE_SECONDS };
    const id = await rig.submit("gradient", params, { inputs: [{ name: "input.txt", ...blob }] });
    await rig.until(id, ({ state }) => state === "running", LOOK_MS);
    const other = await (network === undefined ? start() : rig.worker(["--workloads", "gradient"], network.there));
    await rig.until(id, ({ progress }) => (progress?.fraction ?? 0) >= BEFORE, LOOK_MS);
    // A worker may have come late before anything happened to it.
    const before = (await rig.open.queue.log(id)).length;
    await hurt({ rig, id, first, other, start });
    const job = await rig.over(id, LOOK_MS);
    const since = (await rig.open.queue.log(id)).slice(before);
    return { what, seed, ...figuresOf(job), isWholeAgain: since.some((line) => line.includes("takes part from")) };
  } finally {
    await rig.stop();
  }
}

/** @throws {BenchError} `no-answer` for a training that did not end well */
function figuresOf({ state, attempts, result, error }: Job) {
  const value = result?.value as { valLoss: number; exchange: { missing: number; rounds: number } } | undefined;
  if (state !== "done" || value === undefined) {
    throw new BenchError("no-answer", { from: "a training", state, error: error?.message ?? "" });
  }
  const { missing, rounds } = value.exchange;
  return { valLoss: value.valLoss, missing, of: 2 * rounds, attempts };
}

async function killOther({ other, start }: Stage): Promise<void> {
  await other.end("SIGKILL");
  await start();
}

async function killFirst({ first, start }: Stage): Promise<void> {
  await first.end("SIGKILL");
  await start();
}

function cutOther(network: CutNetwork): Hurt {
  return async () => {
    network.cut();
    await setTimeout(CUT_MS);
    network.mend();
  };
}
