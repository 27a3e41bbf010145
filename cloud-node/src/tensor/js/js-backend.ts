import type { Arena, ArenaSection } from "../arena.ts";
import type { Backend } from "../engine.ts";
import { updateScratch } from "../optimizer-update.ts";
import type { Program } from "../program.ts";
import { ProgramEngine } from "../program-engine.ts";
import { TensorError } from "../tensor-error.ts";
import { activationKernels } from "./activation-kernels.ts";
import { attentionKernels } from "./attention-kernels.ts";
import { dropoutKernels } from "./dropout-kernels.ts";
import { elementwiseKernels } from "./elementwise-kernels.ts";
import { lossKernels } from "./loss-kernels.ts";
import { matmulKernels } from "./matmul-kernels.ts";
import { normKernels } from "./norm-kernels.ts";
import { updateKernels } from "./update-kernels.ts";

/** Address 0 means "none". */
const FIRST = 16;

/** The oracle: every kernel as its formula reads, in double precision. For tests and small models. */
export const jsBackend: Backend = {
  name: "js",
  async load(program) {
    return new ProgramEngine(program, [new JsArena(program)]);
  },
};

class JsArena implements Arena {
  readonly kernels: Arena["kernels"];
  readonly #memory: Float64Array;
  readonly #starts: Readonly<Record<ArenaSection, number>>;

  constructor(program: Program) {
    const { value, gradient, work, scratch } = program.sizes;
    const [average, squareAverage] = [FIRST + value, FIRST + value + gradient];
    const gradients = squareAverage + gradient;
    const starts = { value: FIRST, average, squareAverage, gradient: gradients, work: gradients + gradient };
    this.#starts = { ...starts, scratch: starts.work + work };
    this.#memory = reserve(this.#starts.scratch + Math.max(scratch, updateScratch(program)));
    const memory = this.#memory;
    this.kernels = {
      ...elementwiseKernels(memory),
      ...matmulKernels(memory),
      ...normKernels(memory),
      ...activationKernels(memory),
      ...attentionKernels(memory),
      ...dropoutKernels(memory),
      ...lossKernels(memory),
      ...updateKernels(memory),
    };
  }

  address(section: ArenaSection, offset: number): number {
    return this.#starts[section] + offset;
  }

  numbers(section: ArenaSection, offset: number, count: number): Float64Array {
    const at = this.address(section, offset);
    return this.#memory.subarray(at, at + count);
  }

  integers(section: ArenaSection, offset: number, count: number): Float64Array {
    return this.numbers(section, offset, count);
  }
}

function reserve(count: number): Float64Array {
  try {
    return new Float64Array(count);
  } catch (cause) {
    throw new TensorError("too-large", `an arena of ${count} numbers`, "use a smaller model or batch", { cause });
  }
}
