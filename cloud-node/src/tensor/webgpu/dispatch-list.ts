import { CALL_BYTES, type DevicePipelines } from "./device-pipelines.ts";
import type { Dispatch } from "./dispatch.ts";
import { packFields } from "./shader-library.ts";

interface Step {
  readonly pipeline: GPUComputePipeline;
  readonly groups: Dispatch["groups"];
}

/** Dispatches that are encoded again and again: their pipelines, and the uniforms of all in one buffer. */
export class DispatchList {
  readonly #device: GPUDevice;
  readonly #pipelines: DevicePipelines;
  #steps: readonly Step[] = [];
  #uniforms: GPUBuffer | undefined;
  #calls: GPUBindGroup | undefined;

  constructor(device: GPUDevice, pipelines: DevicePipelines) {
    this.#device = device;
    this.#pipelines = pipelines;
  }

  /** Take other dispatches. The uniforms' buffer is kept where it is large enough. */
  async set(dispatches: readonly Dispatch[]): Promise<void> {
    const bytes = new Uint32Array((dispatches.length * CALL_BYTES) / 4);
    for (const [at, { kernel, fields }] of dispatches.entries()) {
      bytes.set(packFields(this.#pipelines.library.fileOf(kernel), kernel, fields), (at * CALL_BYTES) / 4);
    }
    const pipelines = await Promise.all(dispatches.map((dispatch) => this.#pipelines.pipelineOf(dispatch)));
    this.#steps = pipelines.map((pipeline, at) => ({ pipeline, groups: dispatches[at]?.groups ?? [0, 0, 0] }));
    if (this.#uniforms === undefined || this.#uniforms.size < bytes.byteLength) this.#open(bytes.byteLength);
    if (this.#uniforms !== undefined) this.#device.queue.writeBuffer(this.#uniforms, 0, bytes);
  }

  encode(pass: GPUComputePassEncoder): void {
    if (this.#calls === undefined) return;
    let last: GPUComputePipeline | undefined;
    for (const [at, { pipeline, groups }] of this.#steps.entries()) {
      if (pipeline !== last) pass.setPipeline(pipeline);
      last = pipeline;
      pass.setBindGroup(1, this.#calls, [at * CALL_BYTES]);
      pass.dispatchWorkgroups(...groups);
    }
  }

  close(): void {
    this.#uniforms?.destroy();
  }

  #open(bytes: number): void {
    this.#uniforms?.destroy();
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    this.#uniforms = this.#device.createBuffer({ size: Math.max(bytes, CALL_BYTES), usage });
    const resource = { buffer: this.#uniforms, offset: 0, size: CALL_BYTES };
    const layout = this.#pipelines.callLayout;
    this.#calls = this.#device.createBindGroup({ layout, entries: [{ binding: 0, resource }] });
  }
}
