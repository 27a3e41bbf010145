import type { TrainDevice } from "../train-options.ts";
import type { AnchorKernels, GridShape } from "./anchor-kernels.ts";
import { cpuKernels } from "./cpu-kernels.ts";
import { gpuKernels } from "./gpu-kernels.ts";

/** The kernels of a device. @throws {VectorIndexError} `no-device` where there is none */
export async function openKernels(device: TrainDevice, shape: GridShape): Promise<AnchorKernels> {
  return device === "cpu" ? cpuKernels(shape) : gpuKernels(shape, { isSoftware: device === "software-gpu" });
}
