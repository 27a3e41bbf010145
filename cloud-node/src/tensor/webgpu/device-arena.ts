import { DeviceLimitError } from "../../gpu-device.ts";
import { InvariantError } from "../../invariant-error.ts";
import type { ArenaSection } from "../arena.ts";
import { updateScratch } from "../optimizer-update.ts";
import type { Program } from "../program.ts";
import { type DeviceSection, placeOf, SECTIONS } from "./dispatch.ts";
import { CONTROL, type ControlPlaces } from "./record-updates.ts";

const ALIGNMENT = 64;

/**
 * How the arena of a program lies in the buffers of a device, in numbers: a buffer for each section, and in that of
 * `work` behind it what is the device's own, and scratch, as the last.
 */
export class DeviceLayout {
  readonly #control: number;
  readonly #scratch: number;

  constructor({ sizes }: Program) {
    this.#control = align(sizes.work);
    this.#scratch = align(this.#control + CONTROL.size);
  }

  address(section: ArenaSection, offset: number): number {
    return placeOf(section, offset, this.#scratch);
  }

  /** Where the verdict on a step is, in `work`. */
  get verdict(): number {
    return this.#control + CONTROL.verdict;
  }

  get control(): ControlPlaces {
    const at = (offset: number) => this.address("work", this.#control + offset);
    return { verdict: at(CONTROL.verdict), factor: at(CONTROL.factor), sums: at(CONTROL.sums) };
  }

  /** @param scratch  what the recorded kernels need of it */
  sizes(program: Program, scratch: number): Readonly<Record<DeviceSection, number>> {
    const { value, gradient } = program.sizes;
    const work = this.#scratch + Math.max(scratch, updateScratch(program));
    return { value, gradient, average: gradient, squareAverage: gradient, work };
  }
}

/** The buffers of a program's arena, all zero. */
export class DeviceArena {
  readonly bindGroup: GPUBindGroup;
  readonly #device: GPUDevice;
  readonly #buffers: ReadonlyMap<DeviceSection, GPUBuffer>;

  /** @throws {DeviceLimitError} where a section is more than the device binds at once */
  constructor(device: GPUDevice, layout: GPUBindGroupLayout, sizes: Readonly<Record<DeviceSection, number>>) {
    this.#device = device;
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const most = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize);
    for (const section of SECTIONS) {
      const bytes = 4 * sizes[section];
      if (bytes <= most) continue;
      throw new DeviceLimitError(`${section} takes ${bytes} bytes, and the device binds ${most} at once`);
    }
    this.#buffers = new Map(
      SECTIONS.map((section) => [section, device.createBuffer({ size: 4 * Math.max(1, sizes[section]), usage })]),
    );
    const entries = [...this.#buffers.values()].map((buffer, binding) => ({ binding, resource: { buffer } }));
    this.bindGroup = device.createBindGroup({ layout, entries });
  }

  write(section: DeviceSection, offset: number, values: Float32Array | Int32Array | Uint32Array): void {
    this.#device.queue.writeBuffer(this.#bufferOf(section), 4 * offset, values as Float32Array<ArrayBuffer>);
  }

  copyTo(encoder: GPUCommandEncoder, place: ReadPlace, to: GPUBuffer, at: number): void {
    const { section, offset, count } = place;
    encoder.copyBufferToBuffer(this.#bufferOf(section), 4 * offset, to, 4 * at, 4 * count);
  }

  close(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
  }

  #bufferOf(section: DeviceSection): GPUBuffer {
    const buffer = this.#buffers.get(section);
    if (buffer === undefined) throw new InvariantError(`an arena has no section ${section}`);
    return buffer;
  }
}

/** Numbers to be read back. */
export interface ReadPlace {
  readonly section: DeviceSection;
  readonly offset: number;
  readonly count: number;
}

function align(count: number): number {
  return Math.ceil(count / ALIGNMENT) * ALIGNMENT;
}
