import { checkContiguous, checkShape, type Recorder } from "../recorder.ts";
import { rowsOf, sizeOf, type Tensor, widthOf } from "../tensor.ts";

/** A target that does not count. */
const MASKED = -1;

/** Mean of −log softmax(logits)[target], in nats, over the rows whose target is not -1. */
export function crossEntropy(recorder: Recorder, logits: Tensor, targets: Tensor): Tensor {
  checkContiguous("crossEntropy", logits, targets);
  const [rows, columns] = [rowsOf(logits), widthOf(logits)];
  checkShape("crossEntropy", "targets", [sizeOf(targets.shape)], [rows]);
  recorder.limit("crossEntropy", targets, MASKED, columns);
  const logSums = recorder.reserve([rows]);
  const denominator = recorder.reserve([1]);
  recorder.addLoss({ targets, denominator });
  const out = recorder.result([1], [logits], (tape, grad) => {
    const { address, add } = tape.give(logits);
    tape.call("crossEntropyGradient", address, grad, logits, targets, logSums, denominator, rows, columns, add);
  });
  recorder.call("crossEntropy", out, logits, targets, logSums, denominator, rows, columns);
  return out;
}
