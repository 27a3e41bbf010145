import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import * as v from "valibot";
import { unlessAbsent } from "../../jobs/disk-call.ts";
import { EXCHANGE_FILES } from "../../workloads/gradient/exchange-files.ts";
import { type ExchangeSummary, exchangeSchema } from "../../workloads/gradient/gradient-job.ts";
import type { StepCost } from "../../workloads/gradient/link-time.ts";
import type { LossCurve } from "../../workloads/language-model/loss-plot.ts";
import { parseMetricsLine } from "../../workloads/language-model/metrics-row.ts";
import { JSONL } from "../../workloads/language-model/run-folder.ts";
import { CommandError } from "../command-error.ts";

/** A run of several workers, as its folder tells of it. */
export interface TrainedRun {
  /** Its folder's. */
  readonly name: string;
  readonly exchange: ExchangeSummary;
  /** On the part that judges. */
  readonly losses: LossCurve;
  /** Where it was judged last, nats. */
  readonly valLoss: number;
  readonly lastStep: number;
  readonly cost: StepCost;
  /** SHA-256. */
  readonly text: string;
  /** Its `config.json`, one entry for each option. */
  readonly options: ReadonlyMap<string, string>;
}

const SUMMARY = "summary.json";
/** Of what `lm train` leaves there, too, what tells runs apart. */
const summarySchema = v.object({
  config: v.record(v.string(), v.unknown()),
  text: v.object({ sha256: v.string() }),
});

/** @throws {CommandError} `file` where there is no run of several workers, or one that is not done */
export async function readTrainedRun(folder: string): Promise<TrainedRun> {
  const [json] = EXCHANGE_FILES;
  const exchange = read(exchangeSchema, join(folder, json), await textIn(folder, json), "an exchange");
  const summary = read(summarySchema, join(folder, SUMMARY), await textIn(folder, SUMMARY), "a run");
  const rows = (await textIn(folder, JSONL)).split("\n").map(parseMetricsLine);
  const points = rows.flatMap((row) => (row?.valLoss == null ? [] : [[row.step, row.valLoss] as const]));
  const [lastStep, valLoss] = points.at(-1) ?? [];
  if (lastStep === undefined || valLoss === undefined) {
    throw new CommandError("file", `${join(folder, JSONL)} has no evaluation`, "train the run to its end");
  }
  const name = basename(resolve(folder));
  const { workers, steps, seconds, uplinkWire: uplink, downlinkWire: downlink } = exchange;
  const cost = { workers, seconds: seconds / Math.max(1, steps), uplink, downlink };
  const made = { text: summary.text.sha256, options: optionsOf(summary.config) };
  return { name, exchange, losses: { name, points }, valLoss, lastStep, cost, ...made };
}

/** @throws {CommandError} `refused` for runs that are of other models, texts, or lengths */
export function checkAreAlike([baseline, ...others]: readonly TrainedRun[]): void {
  for (const run of others) {
    const pairs = [
      ["parameters", run.exchange.parameters, baseline?.exchange.parameters],
      ["steps", run.lastStep, baseline?.lastStep],
      ["workers", run.exchange.workers, baseline?.exchange.workers],
      ["as its text's SHA-256", run.text, baseline?.text],
    ] as const;
    const other = pairs.find(([, own, theirs]) => own !== theirs);
    if (other === undefined) continue;
    const [what, own, theirs] = other;
    const problem = `${run.name} has ${own} ${what}, ${baseline?.name} ${theirs}`;
    throw new CommandError("refused", problem, "compare runs of one model and text over the same steps");
  }
}

/** Options that a run has otherwise than the baseline, such as `seed`. */
export function otherOptions(run: TrainedRun, baseline: TrainedRun): string[] {
  const names = new Set([...baseline.options.keys(), ...run.options.keys()]);
  return [...names].filter((name) => run.options.get(name) !== baseline.options.get(name));
}

function optionsOf(config: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  const entries = Object.entries(config).flatMap(([name, value]): [string, string][] => {
    if (typeof value !== "object" || value === null) return [[name, JSON.stringify(value)]];
    return Object.entries(value).map(([part, one]) => [`${name}.${part}`, JSON.stringify(one)]);
  });
  return new Map(entries);
}

function read<T>(schema: v.GenericSchema<unknown, T>, path: string, text: string, what: string): T {
  try {
    return v.parse(schema, JSON.parse(text));
  } catch (cause) {
    const remedy = "name a folder that lockstep gradient train of this release left";
    throw new CommandError("file", `${path} says nothing of ${what}`, remedy, { cause });
  }
}

async function textIn(folder: string, name: string): Promise<string> {
  const text = await readFile(join(folder, name), "utf8").catch(unlessAbsent);
  if (text !== undefined) return text;
  const remedy = "name a folder of lockstep gradient train whose run is done";
  throw new CommandError("file", `there is no ${name} in ${folder}`, remedy);
}
