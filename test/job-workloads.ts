import { setTimeout } from "node:timers/promises";
import type { JobContext, JsonObject, Workload } from "@lockstep/cloud-node";
import * as v from "valibot";

/**
 * Workloads that tests and benchmarks give to a worker: `lockstep worker --workloads-from` this file. None of them is of
 * any use.
 */

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** Does nothing, at once. */
const tiny: Workload<{ n: number }, { n: number }> = {
  name: "tiny",
  summary: "nothing, at once",
  params: v.strictObject({ n: count }),
  result: v.strictObject({ n: count }),
  run: async ({ n }) => ({ n }),
};

/** Takes its time in steps, says so, and goes on where an earlier attempt was. */
const steps: Workload<{ steps: number; stepMs: number }, { steps: number; from: number; ms: number }> = {
  name: "steps",
  summary: "waits, step by step, with a checkpoint behind each",
  params: v.strictObject({ steps: v.pipe(count, v.minValue(1)), stepMs: count }),
  result: v.strictObject({ steps: count, from: count, ms: v.number() }),
  run: async ({ steps: all, stepMs }, context) => {
    const startedMs = context.nowMs();
    const from = Number(await textOf(context.resume()));
    for (let step = from; step < all; step++) {
      context.log(`step ${step + 1} of ${all}`);
      context.progress({ fraction: step / all, note: `step ${step + 1} of ${all}` });
      await setTimeout(stepMs, undefined, { signal: context.signal });
      await context.checkpoint(once(String(step + 1)));
    }
    await context.write("steps.txt", once(`${all} steps\n`));
    return { steps: all, from, ms: context.nowMs() - startedMs };
  },
};

/** Takes so long, and says all the time how far it is. */
const wait: Workload<{ ms: number }, { ms: number }> = {
  name: "wait",
  summary: "waits, and says how far it is ten times a second",
  params: v.strictObject({ ms: count }),
  result: v.strictObject({ ms: v.number() }),
  run: async ({ ms }, context) => {
    const startedMs = performance.now();
    for (let left = ms; left > 0; left = ms - (performance.now() - startedMs)) {
      context.progress({ fraction: 1 - left / ms, note: "waits" });
      await setTimeout(Math.min(left, 100), undefined, { signal: context.signal });
    }
    return { ms: performance.now() - startedMs };
  },
};

/** Keeps its input as its output. */
const copy: Workload<JsonObject, { bytes: number }> = {
  name: "copy",
  summary: "its input as its output",
  params: v.object({}),
  result: v.strictObject({ bytes: count }),
  run: async (_params, context) => {
    let bytes = 0;
    for (const input of context.inputs) {
      const kept = await context.write(`copy-of-${input.name}`, context.read(input));
      bytes += kept.bytes;
    }
    return { bytes };
  },
};

/** Takes whatever runs it along, as far as it can. */
const poison: Workload<{ how: string }, JsonObject> = {
  name: "poison",
  summary: "ends its thread, eats memory, hangs, or kills its process",
  params: v.strictObject({ how: v.picklist(["exit", "throw", "memory", "hang", "kill"]) }),
  result: v.object({}),
  run: async ({ how }, context) => await harm(how, context),
};

async function harm(how: string, context: JobContext): Promise<JsonObject> {
  context.log(`poison: ${how}`);
  await setTimeout(10);
  if (how === "kill") process.kill(process.pid, "SIGKILL");
  if (how === "exit") process.exit(3);
  if (how === "throw") throw new RangeError("poisonous");
  const eaten: unknown[] = [];
  while (how === "hang" || eaten.push(Array.from({ length: 100_000 }, (_, i) => `${i}`)) > 0);
  return {};
}

/** What a worker looks its workloads up in. */
export const WORKLOADS = {
  tiny: async () => tiny as unknown as Workload,
  steps: async () => steps as unknown as Workload,
  wait: async () => wait as unknown as Workload,
  copy: async () => copy as unknown as Workload,
  poison: async () => poison as unknown as Workload,
};

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

/** All of a stream as a text; "0" of none. */
async function textOf(stream: AsyncIterable<Uint8Array> | undefined): Promise<string> {
  if (stream === undefined) return "0";
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString();
}
