import type { GradientCore } from "./gradient-core.ts";
import type { PlacedTensor } from "./gradient-layout.ts";

/** What may be read behind codes: a whole block. */
const SLACK_BYTES = 64;

/** Where a coder keeps what it works on, in its kernel's memory: addresses. */
export interface CoderAreas {
  /** i16, (N): codes of what was encoded last. */
  readonly codes: number;
  /** i16, (N): codes of what was decoded last. */
  readonly heard: number;
  /** i16: codes of one tensor, the other way round. */
  readonly turnedCodes: number;
  /** u32 for each magnitude. */
  readonly counts: number;
  /** What is known of one tensor's rows, columns and their pairs. */
  readonly work: number;
}

/** Set memory aside for the tensors of a layout. @throws {GradientError} `too-large` */
export function reserveAreas(core: GradientCore, tensors: readonly PlacedTensor[]): CoderAreas {
  const count = tensors.reduce((sum, tensor) => sum + tensor.count, 0);
  const most = (of: (tensor: PlacedTensor) => number) =>
    tensors.reduce((largest, one) => Math.max(largest, of(one)), 0);
  const turned = most((tensor) => (tensor.isTurned ? tensor.count : 0));
  return {
    codes: core.reserve(2 * count + SLACK_BYTES),
    heard: core.reserve(2 * count + SLACK_BYTES),
    turnedCodes: core.reserve(2 * turned + SLACK_BYTES),
    counts: core.reserve(4 * Number(core.calls.MAGNITUDES.value)),
    work: core.reserve(most(({ isTurned, rows, columns }) => core.calls.workBytes(isTurned ? rows : columns))),
  };
}
