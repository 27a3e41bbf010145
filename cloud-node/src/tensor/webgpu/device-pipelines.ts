import { type Dispatch, SECTIONS } from "./dispatch.ts";
import { placeAccess, ShaderLibrary } from "./shader-library.ts";

/** Bytes from one call's uniform to the next, and of each: what every device lets a dynamic offset be a multiple of. */
export const CALL_BYTES = 256;

/** The pipelines of a device, each made once for every program on it. */
export class DevicePipelines {
  readonly library = new ShaderLibrary();
  readonly arenaLayout: GPUBindGroupLayout;
  readonly callLayout: GPUBindGroupLayout;
  readonly #device: GPUDevice;
  readonly #layout: GPUPipelineLayout;
  readonly #modules = new Map<string, GPUShaderModule>();
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();

  constructor(device: GPUDevice) {
    this.#device = device;
    const visibility = GPUShaderStage.COMPUTE;
    this.arenaLayout = device.createBindGroupLayout({
      entries: SECTIONS.map((_, binding) => ({ binding, visibility, buffer: { type: "storage" as const } })),
    });
    this.callLayout = device.createBindGroupLayout({
      entries: [{ binding: 0, visibility, buffer: { type: "uniform", hasDynamicOffset: true } }],
    });
    this.#layout = device.createPipelineLayout({ bindGroupLayouts: [this.arenaLayout, this.callLayout] });
  }

  pipelineOf(dispatch: Dispatch): Promise<GPUComputePipeline> {
    const { kernel, sections, constants } = dispatch;
    const key = `${kernel} ${JSON.stringify([sections, constants])}`;
    const known = this.#pipelines.get(key);
    if (known !== undefined) return known;
    const [, entryPoint = ""] = kernel.split(".");
    const pipeline = this.#device.createComputePipelineAsync({
      ...{ label: key, layout: this.#layout },
      compute: { module: this.#moduleOf(dispatch), entryPoint, constants: { ...constants } },
    });
    this.#pipelines.set(key, pipeline);
    return pipeline;
  }

  /** The file of a kernel, for the sections that its places are in. */
  #moduleOf({ kernel, sections }: Dispatch): GPUShaderModule {
    const { code, places } = this.library.fileOf(kernel);
    const [file = ""] = kernel.split(".");
    const key = `${file} ${JSON.stringify(sections)}`;
    const known = this.#modules.get(key);
    if (known !== undefined) return known;
    const access = places.map((place) => placeAccess(place, sections[place])).join("");
    const module = this.#device.createShaderModule({ label: file, code: `${code}${access}\n` });
    this.#modules.set(key, module);
    return module;
  }
}
