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
}

/** @throws {CommandError} `file` where there is no run of several workers, or one that is not done */
export async function readTrainedRun(folder: string): Promise<TrainedRun> {
  const [json] = EXCHANGE_FILES;
  const exchange = exchangeOf(join(folder, json), await textIn(folder, json));
  const rows = (await textIn(folder, JSONL)).split("\n").map(parseMetricsLine);
  const points = rows.flatMap((row) => (row?.valLoss == null ? [] : [[row.step, row.valLoss] as const]));
  const [lastStep, valLoss] = points.at(-1) ?? [];
  if (lastStep === undefined || valLoss === undefined) {
    throw new CommandError("file", `${join(folder, JSONL)} has no evaluation`, "train the run to its end");
  }
  const name = basename(resolve(folder));
  const { workers, steps, seconds, uplinkWire: uplink, downlinkWire: downlink } = exchange;
  const cost = { workers, seconds: seconds / Math.max(1, steps), uplink, downlink };
  return { name, exchange, losses: { name, points }, valLoss, lastStep, cost };
}

/** @throws {CommandError} `refused` for runs that are of other models, or of other lengths */
export function checkAreAlike([baseline, ...others]: readonly TrainedRun[]): void {
  for (const run of others) {
    const pairs = [
      ["parameters", run.exchange.parameters, baseline?.exchange.parameters],
      ["steps", run.lastStep, baseline?.lastStep],
      ["workers", run.exchange.workers, baseline?.exchange.workers],
    ] as const;
    const other = pairs.find(([, own, theirs]) => own !== theirs);
    if (other === undefined) continue;
    const [what, own, theirs] = other;
    const problem = `${run.name} has ${own} ${what}, ${baseline?.name} ${theirs}`;
    throw new CommandError("refused", problem, "compare runs of one model over the same steps");
  }
}

function exchangeOf(path: string, text: string): ExchangeSummary {
  try {
    return v.parse(exchangeSchema, JSON.parse(text));
  } catch (cause) {
    const remedy = "name a folder that lockstep gradient train of this release left";
    throw new CommandError("file", `${path} says nothing of an exchange`, remedy, { cause });
  }
}

async function textIn(folder: string, name: string): Promise<string> {
  const text = await readFile(join(folder, name), "utf8").catch(unlessAbsent);
  if (text !== undefined) return text;
  const remedy = "name a folder of lockstep gradient train whose run is done";
  throw new CommandError("file", `there is no ${name} in ${folder}`, remedy);
}
