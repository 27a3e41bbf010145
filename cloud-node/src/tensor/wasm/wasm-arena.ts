import type { Arena, ArenaSection } from "../arena.ts";
import type { ArenaLayout } from "./arena-layout.ts";
import { instantiateTensorModule, type TensorExports, type TensorModule } from "./tensor-module.ts";

/** One shard of an arena in a WebAssembly memory, with an instance of its own. */
export class WasmArena implements Arena {
  readonly kernels: TensorExports;
  readonly #memory: WebAssembly.Memory;
  readonly #starts: Readonly<Record<ArenaSection, number>>;

  constructor(module: TensorModule, memory: WebAssembly.Memory, layout: ArenaLayout, shard: number) {
    const [starts, workAreas] = [layout.sections[shard], layout.workAreas[shard]];
    if (starts === undefined || workAreas === undefined) throw new RangeError(`an arena has no shard ${shard}`);
    this.kernels = instantiateTensorModule(module, memory);
    this.kernels.setWorkArea(workAreas);
    this.#memory = memory;
    this.#starts = starts;
  }

  address(section: ArenaSection, offset: number): number {
    return this.#starts[section] + 4 * offset;
  }

  numbers(section: ArenaSection, offset: number, count: number): Float32Array {
    return new Float32Array(this.#memory.buffer, this.address(section, offset), count);
  }

  integers(section: ArenaSection, offset: number, count: number): Int32Array {
    return new Int32Array(this.#memory.buffer, this.address(section, offset), count);
  }
}
