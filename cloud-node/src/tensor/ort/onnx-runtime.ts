import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { TensorError } from "../tensor-error.ts";

/** The part of onnxruntime-node that is used here: the package is large, and not there unless somebody fetched it. */
export interface OnnxRuntime {
  readonly InferenceSession: {
    create(model: Uint8Array, options: SessionOptions): Promise<OnnxSession>;
  };
  readonly Tensor: new (
    type: "float32" | "int32" | "bool",
    data: Float32Array | Int32Array | Uint8Array,
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

/** A package of its own beside the sources: what it brings is in its lock file, and in nobody's way. */
const FOLDER = new URL("../../../onnxruntime/", import.meta.url);
const PACKAGE = "onnxruntime-node";
/** Where there is no such folder: beside a package that npm installed. Its install script is for NVIDIA's files alone. */
const INSTALL = `npm install ${PACKAGE}@1.30.0 --ignore-scripts`;
/** The first whose native interface takes views of memory that threads may share, as our kernels' is. */
const FIRST_NODE = [24, 9] as const;

/**
 * Load the package.
 *
 * @param folder  where it is looked for, and in `node_modules` of the folders above
 * @throws {TensorError} `no-onnxruntime`, with the line that fetches it, or with what is in its way
 */
export function openOnnxRuntime(folder: URL = FOLDER, nodeVersion = process.versions.node): OnnxRuntime {
  const [major = 0, minor = 0] = nodeVersion.split(".").map(Number);
  if (major < FIRST_NODE[0] || (major === FIRST_NODE[0] && minor < FIRST_NODE[1])) {
    const problem = `the backend ort needs Node ${FIRST_NODE.join(".")}, and this is ${nodeVersion}`;
    throw new TensorError("no-onnxruntime", problem, "install a newer Node, or use another backend");
  }
  try {
    return createRequire(new URL("package.json", folder))(PACKAGE) as OnnxRuntime;
  } catch (cause) {
    // What the package itself does not find is its binary, which it has not for every platform.
    if (cause instanceof Error && cause.message.startsWith(`Cannot find module '${PACKAGE}'`)) {
      const problem = `the backend ort needs ${PACKAGE}, which is not installed`;
      const line = existsSync(new URL("package.json", folder)) ? "npm run onnxruntime" : INSTALL;
      throw new TensorError("no-onnxruntime", problem, `type ${line} (100 MB)`, { cause });
    }
    const problem = `${PACKAGE} does not load on ${process.platform}, ${process.arch}`;
    throw new TensorError("no-onnxruntime", problem, "use another backend", { cause });
  }
}
