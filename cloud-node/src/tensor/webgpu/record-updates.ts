import type { Kernels, UpdateKernels } from "../kernels.ts";
import { NORM_EPS } from "../newton-schulz.ts";
import type { OptimizerStep } from "../optimizer.ts";
import type { UpdateArena } from "../optimizer-update.ts";
import type { DispatchRecorder } from "./dispatch-recorder.ts";

/** Sums that the squares of a tensor are gathered in: a fixed number, so that they are always the same. */
const MAX_SUMS = 1024;
/** `ROW_THREADS` of kernels/arena.wgsl. */
const ROW_THREADS = 64;

/** Numbers of the device's own: the verdict on a step (norm, factor that clips it, whether all is finite), a factor, sums. */
export const CONTROL = { verdict: 0, factor: 4, sums: 16, size: 16 + MAX_SUMS } as const;

/** Places of a step that nobody but the device sees, each by its address. */
export interface ControlPlaces {
  readonly verdict: number;
  readonly factor: number;
  readonly sums: number;
}

/**
 * The norm of the gradients, and what follows from it.
 *
 * @param loss  where it is, or 0 where only the norm decides
 */
export function recordVerdict(
  to: DispatchRecorder,
  { verdict, sums }: ControlPlaces,
  gradient: { readonly place: number; readonly count: number },
  loss: number,
  { clipNorm }: OptimizerStep,
): void {
  const count = recordSquares(to, sums, gradient.place, gradient.count);
  const most = clipNorm === undefined || clipNorm === Number.POSITIVE_INFINITY ? -1 : clipNorm;
  to.groups("update.judge", [1, 1, 1], { verdict, sums, loss }, { count, most });
}

/**
 * An arena whose updates are recorded. The device has the factor that clips, and the verdict, by which it leaves
 * everything as it is; `gradScale` is not looked at.
 */
export function updateRecorder(
  to: DispatchRecorder,
  kernels: Kernels,
  { verdict, factor, sums }: ControlPlaces,
  address: UpdateArena["address"],
): UpdateArena {
  const updates: Omit<UpdateKernels, "sumOfSquares"> & Pick<Kernels, "scale"> = {
    adamw(value, grad, average, square, count, _gradScale, beta1, beta2, rate, squareFactor, eps, decay) {
      const places = { out: value, grad, mean: average, square, verdict };
      const shares = { meanShare: 1 - beta1, squareShare: 1 - beta2, keep: 1 - decay };
      to.each("update.adamw", count, places, { count, ...shares, rate, squareFactor, eps });
    },
    nesterov: (out, grad, average, count, _gradScale, momentum) =>
      to.each("update.nesterov", count, { out, grad, mean: average, verdict }, { count, meanShare: 1 - momentum }),
    scale: (out, x, count, by, add) =>
      to.each("update.scale", count, { out, grad: x, verdict }, { count, rate: by, add }),
  };
  return {
    kernels: { ...kernels, ...updates },
    normalize(x, count) {
      const sumCount = recordSquares(to, sums, x, count);
      to.groups("update.perNorm", [1, 1, 1], { out: factor, sums }, { count: sumCount, eps: NORM_EPS });
      to.each("update.normalize", count, { out: x, mean: factor }, { count });
    },
    address,
  };
}

/** @returns how many sums there are */
function recordSquares(to: DispatchRecorder, sums: number, grad: number, count: number): number {
  const groups = Math.min(MAX_SUMS, Math.ceil(count / ROW_THREADS));
  to.groups("update.squares", [groups, 1, 1], { grad, sums }, { count });
  return groups;
}
