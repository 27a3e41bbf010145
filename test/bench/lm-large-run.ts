/**
 * Training steps of a model of GPT-2's size, in a process of its own; prints in JSON how long they took and what the process
 * held at most.
 *
 *     node lm-large-run.ts LAYERS STEPS
 */
import { uniformNumbers, wasmStrictBackend } from "@lockstep/cloud-node";
import { adamwStep, fillGpt, gptProgram } from "./lm-ours.ts";

/** What was measured. */
export interface LargeRun {
  readonly parameters: number;
  /** Of every step, on the wall. */
  readonly seconds: readonly number[];
  /** Likewise, of the processor. */
  readonly cpuSeconds: readonly number[];
  /** Over the same tokens: they fall. */
  readonly losses: readonly number[];
  /** Most that the process had resident. */
  readonly peakBytes: number;
}

const [layers = 12, steps = 3] = process.argv.slice(2).map(Number);
/** Half as wide again as deviations: as even numbers, the same spread as GPT-2's normal ones. */
const BOUND = 0.02 * Math.sqrt(3);
const config = { config: "124 M", layers, heads: 12, width: 768, T: 1024, B: 1, vocabulary: 50_257, steps };
const program = gptProgram(config);
const engine = await wasmStrictBackend.load(program);
fillGpt(engine, program, config, (count, name) => uniformNumbers(count, BOUND, 1, name));
const [seconds, cpuSeconds, losses]: [number[], number[], number[]] = [[], [], []];
for (let step = 1; step <= steps; step++) {
  const [startedMs, usage] = [performance.now(), process.cpuUsage()];
  const { loss } = await engine.train(adamwStep(program, step));
  seconds.push((performance.now() - startedMs) / 1000);
  const { user, system } = process.cpuUsage(usage);
  cpuSeconds.push((user + system) / 1e6);
  losses.push(loss);
}
const parameters = program.parameters
  .map(({ tensor }) => tensor.shape.reduce((product, length) => product * length, 1))
  .reduce((sum, count) => sum + count, 0);
const peakBytes = process.resourceUsage().maxRSS * 1024;
const run: LargeRun = { parameters, seconds, cpuSeconds, losses, peakBytes };
process.stdout.write(JSON.stringify(run));
