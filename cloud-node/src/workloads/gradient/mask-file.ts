import * as v from "valibot";
import { GradientError } from "./gradient-error.ts";
import type { GradientTensor } from "./gradient-layout.ts";
import { MOST_STALENESS, TENSOR_ROLES, TopologyMask } from "./topology-mask.ts";

const MASK_VERSION = 1;
/** Far more than the tensors of any model take. */
export const MOST_MASK_BYTES = 1 << 22;

/** A mask as a file has it. */
const maskSchema = v.strictObject({
  version: v.literal(MASK_VERSION),
  /** Null stands for ∞, which JSON does not have. */
  threshold: v.nullable(v.pipe(v.number(), v.finite(), v.minValue(0))),
  staleness: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MOST_STALENESS)),
  tensors: v.array(
    v.strictObject({
      name: v.string(),
      shape: v.array(v.pipe(v.number(), v.integer(), v.minValue(0))),
      variance: v.pipe(v.number(), v.finite(), v.minValue(0)),
      /** For readers: it follows from threshold and variance. */
      role: v.picklist(TENSOR_ROLES),
    }),
  ),
});

export type MaskFile = v.InferOutput<typeof maskSchema>;

/** A mask as a file: what it was chosen from, and how. */
export function maskText({ tensors, options }: TopologyMask): string {
  const threshold = Number.isFinite(options.threshold) ? options.threshold : null;
  const file = { version: MASK_VERSION, threshold, staleness: options.staleness, tensors };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

/** Mirror of `maskText`, for whatever model it is. @throws {GradientError} `bad-mask` */
export function parseMask(text: string): MaskFile {
  const { output, issues } = v.safeParse(maskSchema, jsonOf(text));
  if (issues !== undefined) throw badMask(`${v.getDotPath(issues[0]) ?? "the mask"}: ${issues[0].message}`);
  return output;
}

/**
 * A file's mask.
 *
 * @param layout  of the model that is trained
 * @throws {GradientError} `bad-mask` for a mask of another model
 */
export function maskFor({ threshold, staleness, tensors }: MaskFile, layout: readonly GradientTensor[]): TopologyMask {
  const isAlike =
    tensors.length === layout.length &&
    layout.every(({ name, shape }, at) => name === tensors[at]?.name && `${shape}` === `${tensors[at].shape}`);
  if (!isAlike) {
    const problem = "the mask is of a model with other tensors";
    throw new GradientError("bad-mask", problem, "calibrate with the configuration that is trained");
  }
  return new TopologyMask(tensors, { threshold: threshold ?? Number.POSITIVE_INFINITY, staleness });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw badMask("the mask is no JSON", { cause });
  }
}

function badMask(problem: string, options?: ErrorOptions): GradientError {
  return new GradientError("bad-mask", problem, "write it with `lockstep gradient calibrate`", options);
}
