import type { GradientTensor } from "./gradient-coder.ts";

/** Where a tensor lies in a flat gradient. */
export interface TensorRange extends GradientTensor {
  readonly from: number;
  /** One past its last number. */
  readonly to: number;
}

/** The tensors of a layout, one behind the other. */
export function tensorRanges(layout: readonly GradientTensor[]): TensorRange[] {
  let to = 0;
  return layout.map(({ name, shape }) => {
    const from = to;
    to += shape.reduce((product, length) => product * length, 1);
    return { name, shape, from, to };
  });
}

/** Numbers of a layout. */
export function layoutCount(layout: readonly GradientTensor[]): number {
  return tensorRanges(layout).at(-1)?.to ?? 0;
}
