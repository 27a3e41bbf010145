/**
 * What a worker found and has not sent: it is added to what it finds next, so that nothing is lost, only late.
 *
 * @see Seide et al. 2014, "1-bit stochastic gradient descent"; Karimireddy et al. 2019, "Error feedback fixes SignSGD"
 */
export class ErrorFeedback {
  /** Shape (N); changed in place. */
  readonly unsent: Float32Array;
  readonly #sent: Float32Array;
  #sentStep: number | undefined;

  constructor(count: number) {
    this.unsent = new Float32Array(count);
    this.#sent = new Float32Array(count);
  }

  /** Where the coder says what receivers will see; for `release`. */
  get sent(): Float32Array {
    return this.#sent;
  }

  /** @returns what is to be sent: the gradient and all that was not sent before; shape (N), not to be changed */
  collect(gradient: Float32Array): Float32Array {
    const { unsent } = this;
    for (let at = 0; at < unsent.length; at += 1) unsent[at] = (unsent[at] ?? 0) + (gradient[at] ?? 0);
    return unsent;
  }

  /** The same for numbers that what was not sent is in already. */
  replace(numbers: Float32Array): Float32Array {
    this.unsent.set(numbers);
    return this.unsent;
  }

  /** `sent` has left in a step. */
  release(step: number): void {
    this.#add(-1);
    this.#sentStep = step;
  }

  /** What left in a step has not arrived: it counts as unsent again. Nothing where nothing left. */
  takeBack(step: number): void {
    if (this.#sentStep !== step) return;
    this.#add(1);
    this.#sentStep = undefined;
  }

  #add(sign: number): void {
    const { unsent } = this;
    const sent = this.#sent;
    for (let at = 0; at < unsent.length; at += 1) unsent[at] = (unsent[at] ?? 0) + sign * (sent[at] ?? 0);
  }
}
