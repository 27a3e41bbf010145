import { checkContiguous, checkShape, type Recorder } from "../recorder.ts";
import { rowsOf, type Tensor, widthOf } from "../tensor.ts";

export interface NormOptions {
  /** (width) */
  readonly gain?: Tensor | undefined;
  /** (width) */
  readonly bias?: Tensor | undefined;
  /** Added to the variance or the mean square. */
  readonly eps: number;
}

/** Every row to mean 0 and variance 1, · gain, + bias. @see Ba et al. 2016, "Layer normalization" */
export function layerNorm(recorder: Recorder, x: Tensor, { gain, bias, eps }: NormOptions): Tensor {
  checkContiguous("layerNorm", x, gain, bias);
  const [rows, width] = [rowsOf(x), widthOf(x)];
  if (gain !== undefined) checkShape("layerNorm", "the gain", gain.shape, [width]);
  if (bias !== undefined) checkShape("layerNorm", "the bias", bias.shape, [width]);
  const stats = recorder.reserve([rows, 2]);
  const operands = [x, gain, bias].filter((operand) => operand !== undefined);
  const out = recorder.result(x.shape, operands, (tape, grad) => {
    const toX = tape.giveIfNeeded(x);
    const toGain = tape.giveIfNeeded(gain);
    const toBias = tape.giveIfNeeded(bias);
    const places = [toX.address, toGain.address, toBias.address] as const;
    const adds = [toX.add, toGain.add, toBias.add] as const;
    tape.call("layerNormGradient", ...places, grad, x, gain, stats, rows, width, ...adds);
  });
  recorder.call("layerNorm", out, x, gain, bias, stats, rows, width, eps);
  return out;
}

/** Every row divided by its root mean square, · gain. @see Zhang and Sennrich 2019, "Root mean square layer normalization" */
export function rmsNorm(recorder: Recorder, x: Tensor, { gain, eps }: NormOptions): Tensor {
  checkContiguous("rmsNorm", x, gain);
  const [rows, width] = [rowsOf(x), widthOf(x)];
  if (gain !== undefined) checkShape("rmsNorm", "the gain", gain.shape, [width]);
  const stats = recorder.reserve([rows]);
  const operands = gain === undefined ? [x] : [x, gain];
  const out = recorder.result(x.shape, operands, (tape, grad) => {
    const [toX, toGain] = [tape.giveIfNeeded(x), tape.giveIfNeeded(gain)];
    const adds = [toX.add, toGain.add] as const;
    tape.call("rmsNormGradient", toX.address, toGain.address, grad, x, gain, stats, rows, width, ...adds);
  });
  recorder.call("rmsNorm", out, x, gain, stats, rows, width, eps);
  return out;
}
