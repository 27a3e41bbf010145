import { settleModel } from "../language-model/model-config.ts";
import { parameterCount } from "../language-model/parameters.ts";
import type { RunConfig } from "../language-model/run-config.ts";
import { judge, prepareData } from "../language-model/run-data.ts";
import type { TensorModel } from "../language-model/tensor-model.ts";
import { ExchangeLink } from "./exchange-link.ts";
import { type Contribution, encodeContribution, encodeRound } from "./exchange-message.ts";
import type { GradientTensor } from "./gradient-layout.ts";
import type { GradientMethod, MethodOptions } from "./method.ts";
import { openReplica } from "./open-replica.ts";
import { RehearsalChannel } from "./rehearsal-channel.ts";
import type { Replica } from "./replica.ts";

/** A training whose exchange is looked at. */
export interface RehearsalRequest {
  readonly config: RunConfig;
  readonly text: string;
  readonly workers: number;
  /** One method for each worker. */
  readonly createMethod: (layout: readonly GradientTensor[], options: MethodOptions) => GradientMethod;
  /** Batches that the last evaluation takes from the part that judges. */
  readonly lastEvalBatches: number;
  /** What has been computed until now, s. */
  readonly cpuSeconds: () => number;
}

/** What a rehearsal came to. Bytes and seconds are of one worker, the mean over all steps. */
export interface RehearsalResult {
  readonly parameters: number;
  /** Up, as they would be on its connection: messages, envelopes, frames, codes. */
  readonly bytesPerStep: number;
  /** Of that what the method made. */
  readonly messageBytesPerStep: number;
  /** Down, all included. */
  readonly downlinkBytesPerStep: number;
  /** Learning, coding and decoding; without evaluations. */
  readonly cpuSecondsPerStep: number;
  /** Mean after the last step, nats. */
  readonly valLoss: number;
  /** At every evaluation on the way. */
  readonly curve: readonly { readonly step: number; readonly valLoss: number }[];
}

/** Sums over all workers. */
interface Tally {
  message: number;
  up: number;
  down: number;
  cpuSeconds: number;
}

/**
 * All workers of a training in one process, without links: the same parameters as if they were apart, one after the
 * other in time. What methods are compared with.
 */
export async function rehearse(request: RehearsalRequest): Promise<RehearsalResult> {
  const { config, text, workers, lastEvalBatches } = request;
  const data = prepareData(config, text);
  const replicas: Replica[] = [];
  const models: TensorModel[] = [];
  const modelConfig = settleModel(config.model, data.tokenizer.vocabulary);
  const { steps } = config;
  const curve: { step: number; valLoss: number }[] = [];
  const tally: Tally = { message: 0, up: 0, down: 0, cpuSeconds: 0 };
  try {
    for (let rank = 0; rank < workers; rank += 1) {
      const { model, replica } = await openReplica({ ...request, modelConfig, rank });
      models.push(model);
      replicas.push(replica);
    }
    const [first] = replicas;
    const valLoss = async (step: number, batches: number): Promise<number> => {
      const source = data.evaluation("val", step);
      const loss = async (...args: Parameters<Replica["loss"]>) => (await first?.loss(...args)) ?? Number.NaN;
      const judged = await judge(source, batches, data.tokenizer, loss, async () => true);
      return judged?.loss ?? Number.NaN;
    };
    const exchange = new RehearsedExchange(replicas, tally);
    for (let step = 0; step < steps; step += 1) {
      if (step % config.evalEvery === 0) curve.push({ step, valLoss: await valLoss(step, config.evalBatches) });
      const batch = data.training.next();
      const begun = request.cpuSeconds();
      const losses: number[] = [];
      for (const replica of replicas) losses.push(await replica.learn(batch, step));
      if (first?.isLast(step) === true) await exchange.round(step, losses);
      else for (const replica of replicas) await replica.stepAlone(step);
      tally.cpuSeconds += request.cpuSeconds() - begun;
    }
    const last = await valLoss(steps, lastEvalBatches);
    curve.push({ step: steps, valLoss: last });
    const others = Math.max(1, workers - 1) * steps;
    return {
      parameters: parameterCount(modelConfig),
      ...{ bytesPerStep: tally.up / others, downlinkBytesPerStep: tally.down / others },
      messageBytesPerStep: tally.message / others,
      cpuSecondsPerStep: tally.cpuSeconds / workers / steps,
      ...{ valLoss: last, curve },
    };
  } finally {
    for (const model of models) model.close();
  }
}

/** The rounds of a rehearsal: made as place 0 and the others make them, and counted. */
class RehearsedExchange {
  readonly #replicas: readonly Replica[];
  readonly #links: readonly ExchangeLink[];
  readonly #tally: Tally;

  constructor(replicas: readonly Replica[], tally: Tally) {
    const { signal } = new AbortController();
    this.#replicas = replicas;
    this.#links = replicas.map((_, rank) => new ExchangeLink(new RehearsalChannel(rank, replicas.length), signal));
    this.#tally = tally;
  }

  async round(step: number, losses: readonly number[]): Promise<void> {
    const sent: Contribution[] = [];
    for (const [rank, replica] of this.#replicas.entries()) {
      sent.push({ rank, loss: losses[rank] ?? Number.NaN, bytes: await replica.contribution(step) });
    }
    for (const replica of this.#replicas) await replica.apply(step, sent, undefined);
    await this.#count(step, sent);
  }

  /** Place 0 has no connection to itself. */
  async #count(step: number, sent: readonly Contribution[]): Promise<void> {
    const tally = this.#tally;
    const [hub, ...links] = this.#links;
    for (const [at, link] of links.entries()) {
      const contribution = sent[at + 1];
      if (contribution === undefined || hub === undefined) continue;
      tally.message += contribution.bytes.length;
      tally.up += await link.send(0, encodeContribution(step, contribution));
      tally.down += await hub.send(at + 1, encodeRound(step, sent, at + 1));
    }
  }
}
