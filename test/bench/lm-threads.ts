import { type Engine, loadDataParallel } from "@lockstep/cloud-node";
import type { PartFindings } from "./bench-part.ts";
import { adamwStep, fillGpt, gptProgram } from "./lm-ours.ts";
import type { LmPart, LmPlace } from "./lm-part.ts";
import { type LmConfig, NANO_CONFIG } from "./lm-steps.ts";

/** As the recipe cuts a batch: the parts, and not the threads, decide about the last bits. */
const SHARDS = 4;
const THREADS = [1, 2, 4] as const;
/** One thread and two in turn, so that both meet what else the machine does. */
const ROUNDS = 20;
const STEPS = 10;
const MUST_FASTER = 1.7;
const AIM_FASTER = 1.9;

/** A training step on one thread and on more, by the clock on the wall. */
export const threadsPart: LmPart = { name: "threads", run: benchThreads };

async function benchThreads({ isQuick, say }: LmPlace): Promise<PartFindings> {
  const engines = await Promise.all(THREADS.map((threads) => openEngine(NANO_CONFIG, threads)));
  const fastest = THREADS.map(() => Number.POSITIVE_INFINITY);
  let step = 0;
  for (let round = 0; round < (isQuick ? 1 : ROUNDS); round++) {
    say(`round ${round + 1}`);
    for (const [at, engine] of engines.entries()) {
      for (let more = 1; more <= STEPS; more++) {
        const startedMs = performance.now();
        await engine.train(adamwStep(engine.program, step + more));
        fastest[at] = Math.min(fastest[at] ?? 0, performance.now() - startedMs);
      }
    }
    step += STEPS;
  }
  const isSame = await haveSameParameters(engines);
  for (const engine of engines) engine.close();
  const [one = Number.NaN, two = Number.NaN] = fastest;
  const rows = THREADS.map((threads, at) => ({ threads, ms: fastest[at] ?? Number.NaN }));
  return {
    tables: [
      {
        title: `A training step of ${NANO_CONFIG.config} in ${SHARDS} parts, ms on the wall, fastest of all rounds`,
        columns: ["threads", "ms", "one thread / this"],
        rows: rows.map(({ threads, ms }) => [threads, ms.toPrecision(3), (one / ms).toPrecision(3)]),
      },
    ],
    goals: isQuick
      ? []
      : [
          {
            what: "two threads against one, the same batch",
            ...{ measured: one / two, unit: "x", must: { atLeast: MUST_FASTER }, aim: AIM_FASTER },
          },
          {
            what: `thread counts (of ${THREADS.join(", ")}) that gave other parameters after ${step} steps`,
            ...{ measured: isSame ? 0 : 1, unit: "", must: { atMost: 0 } },
          },
        ],
    notes: [
      `Threads: one, two and four in turn, ${ROUNDS} rounds of ${STEPS} steps; four share the cores that there are.`,
    ],
    json: { threads: { config: NANO_CONFIG.config, shards: SHARDS, rows, isSame, steps: step } },
  };
}

async function openEngine(config: LmConfig, threads: number): Promise<Engine> {
  const program = gptProgram({ ...config, B: config.B / SHARDS });
  const engine = await loadDataParallel(program, { build: "wasm-strict", shards: SHARDS, threads });
  fillGpt(engine, program, config);
  return engine;
}

async function haveSameParameters([first, ...others]: readonly Engine[]): Promise<boolean> {
  for (const { name } of first?.program.parameters ?? []) {
    const want = Buffer.from((await first?.get(name))?.buffer ?? new ArrayBuffer(0));
    for (const other of others) if (!want.equals(Buffer.from((await other.get(name)).buffer))) return false;
  }
  return first !== undefined && others.length > 0;
}
