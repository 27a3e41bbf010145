import type { GradientMethod, GradientTensor, MethodOptions, MethodState } from "@lockstep/cloud-node/lab";
import { PowerSgd } from "./gradient-power-sgd.ts";

/** All workers' PowerSGD: its two rounds of a step are made here, where a rehearsal has one. */
class PowerSgdGroup {
  readonly workers: readonly PowerSgd[];
  readonly gradients: readonly Float32Array[];
  readonly #average: Float32Array;
  #step = -1;

  constructor(layout: readonly GradientTensor[], rank: number, { workers, seed }: MethodOptions) {
    const count = layout.reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
    this.workers = Array.from({ length: workers }, () => new PowerSgd(layout, rank, seed));
    this.gradients = this.workers.map(() => new Float32Array(count));
    this.#average = new Float32Array(count);
  }

  average(step: number): Float32Array {
    if (step === this.#step) return this.#average;
    this.#step = step;
    const left = meanOf(this.workers.map((worker, at) => worker.left(this.gradients[at] ?? new Float32Array())));
    const right = meanOf(this.workers.map((worker) => worker.right(left)));
    for (const worker of this.workers) worker.finish(right, this.#average);
    return this.#average;
  }
}

/** PowerSGD of a rank for the workers of one rehearsal; messages have the bytes of both rounds, and nothing in them. */
export function powerSgdMethods(
  rank: number,
  beta1: number | undefined,
): (layout: readonly GradientTensor[], options: MethodOptions) => GradientMethod {
  let group: PowerSgdGroup | undefined;
  return (layout, options) => {
    // Place 0 is made first: what another training left is none of this one's.
    const own = group === undefined || options.rank === 0 ? new PowerSgdGroup(layout, rank, options) : group;
    group = own;
    return {
      localSteps: 1,
      beta1,
      unsentStays: undefined,
      contribution: (_step, gradient): Uint8Array => {
        own.gradients[options.rank]?.set(gradient);
        return new Uint8Array(own.workers[options.rank]?.bytes ?? 0);
      },
      average: (step, _contributions, out): void => out.set(own.average(step)),
      states: (): readonly MethodState[] => [],
    };
  };
}

function meanOf(parts: readonly Float32Array[]): Float32Array {
  const mean = new Float32Array(parts[0]?.length ?? 0);
  for (const part of parts) for (let at = 0; at < mean.length; at += 1) mean[at] = (mean[at] ?? 0) + (part[at] ?? 0);
  return mean.map((x) => x / parts.length);
}
