import type { Kernels } from "../kernels.ts";
import type { DispatchRecorder } from "./dispatch-recorder.ts";
import { columnGroups } from "./record-elementwise.ts";

type Norms = "layerNorm" | "layerNormGradient" | "rmsNorm" | "rmsNormGradient";

/** Norms of rows; the gradients of gain and bias are sums over columns. */
export function recordNorms(to: DispatchRecorder): Pick<Kernels, Norms> {
  return {
    layerNorm: (out, x, gain, bias, stats, rows, width, eps) =>
      to.rows("norm.layerNorm", rows, { out, x, gain, bias, stats }, { width, eps }),
    layerNormGradient(xGrad, gainGrad, biasGrad, grad, x, gain, stats, rows, width, addX, addGain, addBias) {
      const size = { rows, columns: width };
      if (gainGrad !== 0) {
        const places = { out: gainGrad, grad, x, stats };
        to.groups("columns.gainGradient", columnGroups(width), places, { ...size, add: addGain }, { statsWidth: 2 });
      }
      if (biasGrad !== 0) {
        to.groups("columns.columnSums", columnGroups(width), { out: biasGrad, grad }, { ...size, add: addBias });
      }
      if (xGrad === 0) return;
      to.rows("norm.layerNormGradient", rows, { out: xGrad, grad, x, gain, stats }, { width, add: addX });
    },
    rmsNorm: (out, x, gain, stats, rows, width, eps) =>
      to.rows("norm.rmsNorm", rows, { out, x, gain, stats }, { width, eps }),
    rmsNormGradient(xGrad, gainGrad, grad, x, gain, stats, rows, width, addX, addGain) {
      if (gainGrad !== 0) {
        const places = { out: gainGrad, grad, x, stats };
        to.groups("columns.gainGradient", columnGroups(width), places, { rows, columns: width, add: addGain });
      }
      if (xGrad === 0) return;
      to.rows("norm.rmsNormGradient", rows, { out: xGrad, grad, x, gain, stats }, { width, add: addX });
    },
  };
}

/** Cross-entropy: the sums of rows, then the mean of what they leave. */
export function recordLoss(to: DispatchRecorder): Pick<Kernels, "crossEntropy" | "crossEntropyGradient"> {
  return {
    crossEntropy(loss, logits, targets, logSums, denominator, rows, columns) {
      to.rows("loss.logSums", rows, { logits, logSums }, { columns });
      const places = { out: loss, logits, targets, logSums, denominator };
      to.groups("loss.meanLoss", [1, 1, 1], places, { rows, columns });
    },
    crossEntropyGradient(logitsGrad, lossGrad, logits, targets, logSums, denominator, rows, columns, add) {
      const places = { out: logitsGrad, lossGrad, logits, targets, logSums, denominator };
      to.each("loss.crossEntropyGradient", rows * columns, places, { rows, columns, add });
    },
  };
}
