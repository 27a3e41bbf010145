import type { GradientCore } from "./gradient-core.ts";
import type { PlacedTensor } from "./gradient-layout.ts";

/** What may be read behind codes: a whole block. */
const SLACK_BYTES = 64;

/** Where a coder keeps what it works on, in its kernel's memory: addresses. */
export interface CoderAreas {
  /** f32, (N); what is decoded is added up here, too. */
  readonly values: number;
  /** f32, (N) */
  readonly weights: number;
  /** i16, (N) */
  readonly codes: number;
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
    values: core.reserve(4 * count),
    weights: core.reserve(4 * count),
    codes: core.reserve(2 * count + SLACK_BYTES),
    turnedCodes: core.reserve(2 * turned + SLACK_BYTES),
    counts: core.reserve(4 * Number(core.calls.MAGNITUDES.value)),
    work: core.reserve(most(({ isTurned, rows, columns }) => core.calls.workBytes(isTurned ? rows : columns))),
  };
}
