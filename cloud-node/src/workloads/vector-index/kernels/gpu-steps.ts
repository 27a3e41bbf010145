import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DeviceLimitError } from "../../../gpu-device.ts";
import type { AnchorSums, Assignment, Disturbance, GridShape } from "./anchor-kernels.ts";

/** Kernels are read where they are written, by what is built too. */
const FOLDER = import.meta.url.endsWith(".ts") ? "." : "../../../../src/workloads/vector-index/kernels";
/** A dispatch takes so many workgroups at most, and `reduce` has one for each row. */
const MOST_ROWS = 65_535;
/** `assign` has a workgroup for so many rows. */
const ASSIGN_ROWS = 64;
const ALIGNMENT = 4;

/** Rows that are on the device, and what `assign` wrote of them. */
interface Slice {
  readonly from: number;
  readonly count: number;
  readonly rows: GPUBuffer;
  readonly nearest: GPUBuffer;
  readonly readable: GPUBuffer;
}

/** The kernels on a device: `assign.wgsl`, `reduce.wgsl` and `update.wgsl`, each a dispatch for every slice of the rows. */
export class GpuSteps {
  readonly #device: GPUDevice;
  readonly #shape: GridShape;
  readonly #words: number;
  readonly #pipelines: ReadonlyMap<string, GPUComputePipeline>;
  #slices: Slice[] = [];
  #used: Slice[] = [];
  #m = 0;
  #anchors: GPUBuffer | undefined;
  #sums: GPUBuffer | undefined;

  constructor(device: GPUDevice, shape: GridShape) {
    this.#device = device;
    this.#shape = shape;
    this.#words = shape.paddedD / 2;
    this.#pipelines = new Map(
      ["assign", "reduce", "update"].map((name) => {
        const path = fileURLToPath(new URL(`${FOLDER}/${name}.wgsl`, import.meta.url));
        const module = device.createShaderModule({ label: name, code: readFileSync(path, "utf8") });
        return [name, device.createComputePipeline({ layout: "auto", compute: { module, entryPoint: name } })];
      }),
    );
  }

  load(rows: Int16Array): void {
    for (const slice of this.#slices)
      for (const buffer of [slice.rows, slice.nearest, slice.readable]) buffer.destroy();
    const { paddedD } = this.#shape;
    const k = rows.length / paddedD;
    const most = Math.min(MOST_ROWS, Math.floor(this.#device.limits.maxStorageBufferBindingSize / (2 * paddedD)));
    this.#slices = [];
    for (let from = 0; from < k; from += most) {
      const count = Math.min(most, k - from);
      const values = rows.subarray(from * paddedD, (from + count) * paddedD);
      this.#slices.push({
        from,
        count,
        rows: this.#place(values, GPUBufferUsage.STORAGE),
        nearest: this.#buffer(12 * count, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC),
        readable: this.#buffer(12 * count, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST),
      });
    }
  }

  async assign(anchors: Int16Array, k: number): Promise<Assignment> {
    this.#m = anchors.length / this.#shape.paddedD;
    this.#anchors?.destroy();
    this.#anchors = this.#place(anchors, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC);
    this.#used = this.#slices.flatMap((slice) =>
      slice.from < k ? [{ ...slice, count: Math.min(slice.count, k - slice.from) }] : [],
    );
    const assignment = {
      ids: new Uint32Array(k),
      distances: new Int32Array(k),
      seconds: new Int32Array(k),
    };
    for (const { from, count, rows, nearest, readable } of this.#used) {
      const groups = Math.ceil(count / ASSIGN_ROWS);
      this.#run("assign", [count, this.#m, this.#words], [rows, this.#anchors, nearest], groups, {
        from: nearest,
        to: readable,
        bytes: 12 * count,
      });
      const found = new Int32Array(await this.#read(readable, 12 * count));
      for (let i = 0; i < count; i++) {
        assignment.ids[from + i] = found[3 * i] ?? 0;
        assignment.distances[from + i] = found[3 * i + 1] ?? 0;
        assignment.seconds[from + i] = found[3 * i + 2] ?? 0;
      }
    }
    return assignment;
  }

  async reduce(weights: Uint8Array): Promise<AnchorSums> {
    const values = this.#m * this.#shape.paddedD;
    const bytes = 4 * (values + this.#m);
    this.#sums?.destroy();
    this.#sums = this.#place(new Uint8Array(bytes), GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC);
    for (const { from, count, rows, nearest } of this.#used) {
      const each = this.#place(Uint32Array.from(weights.subarray(from, from + count)), GPUBufferUsage.STORAGE);
      this.#run("reduce", [count, this.#m, this.#words], [rows, nearest, each, this.#sums], count);
      each.destroy();
    }
    const all = new Int32Array(await this.#readCopy(this.#sums, bytes));
    return { sums: all.slice(0, values), counts: all.slice(values) };
  }

  async update({ seed, amplitudes }: Disturbance): Promise<Int16Array> {
    if (this.#sums === undefined || this.#anchors === undefined) throw new DeviceLimitError("nothing was reduced");
    const by = this.#place(amplitudes, GPUBufferUsage.STORAGE);
    const shape = [this.#m, this.#words, seed, this.#shape.range];
    this.#run("update", shape, [this.#sums, by, this.#anchors], this.#m);
    by.destroy();
    return new Int16Array(await this.#readCopy(this.#anchors, 2 * this.#m * this.#shape.paddedD));
  }

  #run(
    name: string,
    shape: readonly number[],
    buffers: readonly GPUBuffer[],
    groups: number,
    copy?: { from: GPUBuffer; to: GPUBuffer; bytes: number },
  ): void {
    const pipeline = this.#pipelines.get(name);
    if (pipeline === undefined) throw new DeviceLimitError(`there is no kernel ${name}`);
    const uniform = this.#place(Uint32Array.from([...shape, 0, 0, 0, 0].slice(0, 4)), GPUBufferUsage.UNIFORM);
    const entries = [uniform, ...buffers].map((buffer, binding) => ({ binding, resource: { buffer } }));
    const encoder = this.#device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, this.#device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(groups);
    pass.end();
    if (copy !== undefined) encoder.copyBufferToBuffer(copy.from, 0, copy.to, 0, copy.bytes);
    this.#device.queue.submit([encoder.finish()]);
    uniform.destroy();
  }

  #buffer(bytes: number, usage: number): GPUBuffer {
    const size = Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    const most = this.#device.limits.maxStorageBufferBindingSize;
    if (size > most) throw new DeviceLimitError(`${size} bytes where the device takes ${most} at once`);
    return this.#device.createBuffer({ size, usage: usage | GPUBufferUsage.COPY_DST });
  }

  #place(values: Int16Array | Int32Array | Uint32Array | Uint8Array, usage: number): GPUBuffer {
    const buffer = this.#buffer(values.byteLength, usage);
    this.#device.queue.writeBuffer(buffer, 0, values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
    return buffer;
  }

  async #readCopy(from: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    const to = this.#buffer(bytes, GPUBufferUsage.MAP_READ);
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(from, 0, to, 0, bytes);
    this.#device.queue.submit([encoder.finish()]);
    const copy = await this.#read(to, bytes);
    to.destroy();
    return copy;
  }

  async #read(buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    await buffer.mapAsync(GPUMapMode.READ, 0, bytes);
    const copy = buffer.getMappedRange(0, bytes).slice(0);
    buffer.unmap();
    return copy;
  }
}
