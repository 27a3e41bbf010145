import type { PlacedCoder, PlacedUnits } from "./placed-coder.ts";

/**
 * What a worker found and has not sent: it is added to what it finds next, so that nothing is lost, only late. It lies in the
 * memory of the coder's kernel.
 *
 * @see Seide et al. 2014, "1-bit stochastic gradient descent"; Karimireddy et al. 2019, "Error feedback fixes SignSGD"
 */
export class ErrorFeedback {
  /** Address of what is not sent, f32, (N). */
  readonly at: number;
  readonly #coder: PlacedCoder;
  readonly #scratch: number;
  #sent: { readonly step: number; readonly units: PlacedUnits } | undefined;

  /** @param scratch  address of f32, (N), that may be written over */
  constructor(coder: PlacedCoder, scratch: number) {
    this.#coder = coder;
    this.at = coder.core.zeros(coder.count);
    this.#scratch = scratch;
  }

  /** Shape (N): a view to be read and written at once. */
  get unsent(): Float32Array {
    return this.#coder.core.floats(this.at, this.#coder.count);
  }

  /** What is found joins what was not sent before. @param numbers  shape (N) */
  collect(numbers: Float32Array): void {
    const { core, count } = this.#coder;
    core.write(this.#scratch, numbers);
    core.calls.addNumbers(this.#scratch, count, this.at);
  }

  /** The same for numbers that what was not sent is in already. */
  replace(numbers: Float32Array): void {
    this.#coder.core.write(this.at, numbers);
  }

  /** What the coder encoded last has left, in a step, in these units. */
  release(step: number, units: PlacedUnits): void {
    this.#coder.addSent(units, -1, this.at);
    this.#sent = { step, units };
  }

  /** What left in a step has not arrived: it counts as unsent again, once. Units have to be as they were. */
  takeBack(step: number): void {
    if (this.#sent?.step !== step) return;
    this.#coder.addSent(this.#sent.units, 1, this.at);
    this.#sent = undefined;
  }

  /** Whether what the coder encoded last left in this step. */
  hasSent(step: number): boolean {
    return this.#sent?.step === step;
  }
}
