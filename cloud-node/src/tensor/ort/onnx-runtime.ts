import { createRequire } from "node:module";
import { TensorError } from "../tensor-error.ts";

/** The part of onnxruntime-node that is used here: the package is large, and not there unless somebody fetched it. */
export interface OnnxRuntime {
  readonly InferenceSession: {
    create(model: Uint8Array, options: SessionOptions): Promise<OnnxSession>;
  };
  readonly Tensor: new (
    type: "float32" | "int32",
    data: Float32Array | Int32Array,
    dims: readonly number[],
  ) => OnnxTensor;
}

/** A view of numbers that stay where they are. */
export interface OnnxTensor {
  readonly dims: readonly number[];
}

export interface SessionOptions {
  readonly executionProviders: readonly string[];
  readonly intraOpNumThreads: number;
  readonly interOpNumThreads: number;
  readonly graphOptimizationLevel: "all";
  /** 3: errors alone. */
  readonly logSeverityLevel: number;
}

export interface OnnxSession {
  /** Fetches that are tensors are written into where they lie. */
  run(feeds: Tensors, fetches: Tensors): Promise<unknown>;
  release(): Promise<void>;
}

export type Tensors = Readonly<Record<string, OnnxTensor>>;

/** The version that the graphs are tested with. */
const VERSION = "1.30.0";
const PACKAGE = "onnxruntime-node";
/** Its install script would fetch files for NVIDIA's processors, which nothing here uses, from elsewhere. */
export const INSTALL_LINE = `npm install --no-save --ignore-scripts ${PACKAGE}@${VERSION}`;

/** @throws {TensorError} `no-onnxruntime`, with the line that fetches it, or what is in its way */
export function openOnnxRuntime(): OnnxRuntime {
  const require = createRequire(import.meta.url);
  try {
    return require(PACKAGE) as OnnxRuntime;
  } catch (cause) {
    const isAbsent = cause instanceof Error && "code" in cause && cause.code === "MODULE_NOT_FOUND";
    if (isAbsent && cause.message.includes(`'${PACKAGE}'`)) {
      throw new TensorError("no-onnxruntime", `the backend ort needs ${PACKAGE}, which is not installed`, `type: ${INSTALL_LINE}`, { cause });
    }
    const platform = `${process.platform} on ${process.arch}`;
    throw new TensorError("no-onnxruntime", `${PACKAGE} does not load here, ${platform}`, "use another backend", { cause });
  }
}
