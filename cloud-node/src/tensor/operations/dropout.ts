import { checkContiguous, checkShape, type Recorder } from "../recorder.ts";
import { sizeOf, type Tensor } from "../tensor.ts";

/** What is left out at random while an engine says so. */
export interface Dropout {
  /** Of its stream of random numbers, in the program once. */
  readonly name: string;
  /** Share that is left out, from 0 to below 1; what stays grows by 1 / (1 - rate). */
  readonly rate: number;
}

export interface DropoutOptions extends Dropout {
  /** In the shape of x, added to what stays: cheaper than an `add` that follows. */
  readonly residual?: Tensor;
}

/** x with some numbers 0, + residual. @see Srivastava et al. 2014, "Dropout"; scaled while training */
export function dropout(recorder: Recorder, x: Tensor, { name, rate, residual }: DropoutOptions): Tensor {
  checkContiguous("dropout", x, residual);
  if (residual !== undefined) checkShape("dropout", "the residual", residual.shape, x.shape);
  const count = sizeOf(x.shape);
  const draw = recorder.addDropout(name, rate, count);
  const operands = residual === undefined ? [x] : [x, residual];
  const out = recorder.result(x.shape, operands, (tape, grad) => {
    if (tape.needs(x)) {
      const { address, add } = tape.give(x);
      tape.call("dropout", address, grad, undefined, draw, count, rate, add);
    }
    if (residual !== undefined) tape.pass(out, residual);
  });
  recorder.call("dropout", out, x, residual, draw, count, rate, 0);
  return out;
}
