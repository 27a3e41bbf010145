import { checkContiguous, checkShape, type Recorder, shapeText } from "../recorder.ts";
import { sizeOf, type Tensor } from "../tensor.ts";
import { TensorError } from "../tensor-error.ts";

/** a + b; a smaller b is repeated: its shape must be the end of a's. */
export function add(recorder: Recorder, a: Tensor, b: Tensor): Tensor {
  checkContiguous("add", a, b);
  const [count, period] = [sizeOf(a.shape), sizeOf(b.shape)];
  if (count % period !== 0) {
    const problem = `add: ${shapeText(b.shape)} cannot be repeated over ${shapeText(a.shape)}`;
    throw new TensorError("shape-mismatch", problem, "give the same shape, or its last axes");
  }
  const out = recorder.result(a.shape, [a, b], (tape, grad) => {
    if (tape.needs(b) && count !== period) {
      const contribution = tape.give(b);
      tape.call("columnSums", contribution.address, grad, count / period, period, contribution.add);
    } else if (tape.needs(b)) {
      const contribution = tape.give(b);
      tape.call("copy", contribution.address, grad, count, contribution.add);
    }
    tape.pass(out, a);
  });
  recorder.call("add", out, a, b, count, period);
  return out;
}

/** a · b, number by number. */
export function multiply(recorder: Recorder, a: Tensor, b: Tensor): Tensor {
  checkContiguous("multiply", a, b);
  checkShape("multiply", "the second factor", b.shape, a.shape);
  const count = sizeOf(a.shape);
  const out = recorder.result(a.shape, [a, b], (tape, grad) => {
    for (const [operand, other] of [[a, b] as const, [b, a] as const]) {
      if (!tape.needs(operand)) continue;
      const contribution = tape.give(operand);
      tape.call("multiply", contribution.address, grad, other, count, contribution.add);
    }
  });
  recorder.call("multiply", out, a, b, count, 0);
  return out;
}

/** factor · x. */
export function scale(recorder: Recorder, x: Tensor, factor: number): Tensor {
  checkContiguous("scale", x);
  const count = sizeOf(x.shape);
  const out = recorder.result(x.shape, [x], (tape, grad) => {
    const contribution = tape.give(x);
    tape.call("scale", contribution.address, grad, count, factor, contribution.add);
  });
  recorder.call("scale", out, x, count, factor, 0);
  return out;
}
