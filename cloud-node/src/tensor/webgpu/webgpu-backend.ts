import type { DriverOptions } from "../../driver-line.ts";
import type { Backend, Engine } from "../engine.ts";
import type { Program } from "../program.ts";
import { GpuLine } from "./gpu-line.ts";
import { WebGpuEngine } from "./webgpu-engine.ts";

/** A backend on a graphics processor. */
export interface WebGpuBackend extends Backend {
  /**
   * Which one it is, in its driver's words.
   *
   * @throws {TensorError} `no-device`, with what is missing
   */
  device(): Promise<string>;
}

/**
 * A graphics processor by WebGPU (Dawn), in a process of its own, which all programs of the backend share. It is
 * started for the first of them; once its device is lost, another is started for the next one.
 */
export function webGpuBackend(options: DriverOptions): WebGpuBackend {
  let line: GpuLine | undefined;
  const open = async () => {
    if (line?.isOpen !== true) line = new GpuLine(options);
    return { line, device: await line.device };
  };
  return {
    name: "webgpu",
    device: async () => (await open()).device,
    load: async (program: Program): Promise<Engine> => WebGpuEngine.load(program, (await open()).line),
  };
}
