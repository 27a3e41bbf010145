import type { AdamWGroup, OptimizerStep } from "../../tensor/optimizer.ts";
import type { ModelConfig } from "./model-config.ts";
import { type ParameterGroup, type ParameterSpec, parameterSpecs } from "./parameters.ts";
import type { RunConfig } from "./run-config.ts";
import { muonDecayShare, muonMomentum, rateShare } from "./schedule.ts";

/** nanochat's AdamW beside Muon: rates for a model 768 wide and batches of 2^19 tokens. */
const NANOCHAT_ADAMW: Readonly<Record<"embedding" | "head", Omit<AdamWGroup, "kind" | "parameters" | "eps">>> = {
  embedding: { learningRate: 0.3, beta1: 0.8, beta2: 0.995, weightDecay: 0.001 },
  head: { learningRate: 0.008, beta1: 0.8, beta2: 0.96, weightDecay: 0.01 },
};
/** Gains begin at 1 and multiply, as nanochat's factors of the residual stream do: they have the rate of those, and do not decay. */
const GAIN_RATE = 0.005;
const REFERENCE_TOKENS = 2 ** 19;
/** nanochat's weight decay is tuned for a model 12 layers deep and 768 wide. */
const REFERENCE_WIDTH = 768;
const REFERENCE_LAYERS = 12;

/** The updates of a run, step by step. */
export class OptimizerSteps {
  readonly #config: RunConfig;
  readonly #model: ModelConfig;
  readonly #names: ReadonlyMap<ParameterGroup, readonly string[]>;

  constructor(config: RunConfig, model: ModelConfig) {
    this.#config = config;
    this.#model = model;
    const groups = Map.groupBy(parameterSpecs(model), ({ group }: ParameterSpec) => group);
    this.#names = new Map([...groups].map(([group, specs]) => [group, specs.map(({ name }) => name)]));
  }

  /** @param step  0 … steps − 1 */
  at(step: number): OptimizerStep {
    const { optimizer, schedule, steps } = this.#config;
    const share = rateShare(schedule, step, steps);
    const groups = optimizer.kind === "adamw" ? this.#adamw(share) : this.#muon(share, step);
    const clip = optimizer.clip === 0 ? {} : { clipNorm: optimizer.clip };
    return { step: step + 1, ...clip, groups: groups.filter(({ parameters }) => parameters.length > 0) };
  }

  /** nanoGPT's: weights that are multiplied decay, gains do not. */
  #adamw(share: number): AdamWGroup[] {
    const { learningRate, beta1, beta2, eps, weightDecay } = this.#config.optimizer;
    const group = (parameters: readonly string[], decay: number): AdamWGroup => {
      const rates = { learningRate: share * learningRate, beta1, beta2, eps, weightDecay: decay };
      return { kind: "adamw", parameters, ...rates };
    };
    const multiplied = (["embedding", "matrix", "head"] as const).flatMap((name) => this.#of(name));
    return [group(multiplied, weightDecay), group(this.#of("gain"), 0)];
  }

  /** nanochat's: matrices by Muon, all others by AdamW; all rates by the square root of the batch's tokens. */
  #muon(share: number, step: number): OptimizerStep["groups"] {
    const { optimizer, schedule, steps, data, model } = this.#config;
    const batchShare = Math.sqrt((data.rows * model.context) / REFERENCE_TOKENS);
    const widthShare = (this.#model.width / REFERENCE_WIDTH) ** -0.5;
    const adamw = (["embedding", "head"] as const).map((name): AdamWGroup => {
      const { learningRate, ...rest } = NANOCHAT_ADAMW[name];
      const rate = share * batchShare * widthShare * learningRate;
      return { kind: "adamw", parameters: this.#of(name), learningRate: rate, eps: optimizer.eps, ...rest };
    });
    const { beta1, beta2, eps } = optimizer;
    const gainRate = share * batchShare * GAIN_RATE;
    const decay = optimizer.weightDecay * batchShare * this.#referenceShare() * muonDecayShare(step, steps);
    return [
      ...adamw,
      { kind: "adamw", parameters: this.#of("gain"), learningRate: gainRate, beta1, beta2, eps, weightDecay: 0 },
      {
        kind: "muon",
        parameters: this.#of("matrix"),
        learningRate: share * batchShare * optimizer.learningRate,
        momentum: muonMomentum(schedule, step, steps),
        weightDecay: decay,
      },
    ];
  }

  /** Weights of the reference that scale, over those of this model: so much longer is what it is trained on in nanochat. */
  #referenceShare(): number {
    const { vocabulary, width, layers } = this.#model;
    const scaling = (wide: number, deep: number) => deep * 12 * wide * wide + vocabulary * wide;
    return scaling(REFERENCE_WIDTH, REFERENCE_LAYERS) / scaling(width, layers);
  }

  #of(group: ParameterGroup): readonly string[] {
    return this.#names.get(group) ?? [];
  }
}
