import { VectorIndexError } from "../vector-index-error.ts";
import type { AnchorKernels, GridShape } from "./anchor-kernels.ts";
import { cpuKernels } from "./cpu-kernels.ts";

/** The kernels of a device. @throws {VectorIndexError} `no-device` where there is none */
export async function openKernels(device: "cpu" | "gpu", shape: GridShape): Promise<AnchorKernels> {
  if (device === "cpu") return cpuKernels(shape);
  throw new VectorIndexError("no-device", "there is no graphics processor", "leave --device out");
}
