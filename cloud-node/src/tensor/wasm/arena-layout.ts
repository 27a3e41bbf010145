import type { ArenaSection } from "../arena.ts";
import { updateScratch } from "../optimizer-update.ts";
import type { Program } from "../program.ts";
import { TensorError } from "../tensor-error.ts";

const PAGE_BYTES = 65_536;
/** WebAssembly's 32-bit addresses end here. */
const MAX_PAGES = 65_536;
const ALIGNMENT = 64;
/** Vectors may read a little past the end of what they are asked for. */
const MARGIN = 64;

/**
 * Where everything lies in a WebAssembly memory, in bytes:
 *
 *   the module's tables | value | average | squareAverage | shard 0: gradient, work, scratch, work area | shard 1 | … | margin
 *
 * A shard is a part of the batch: shards share the parameters, and each has its own of the rest.
 */
export interface ArenaLayout {
  readonly bytes: number;
  /** Starts of the sections, for every shard. */
  readonly sections: readonly Readonly<Record<ArenaSection, number>>[];
  /** where each shard's kernels work. */
  readonly workAreas: readonly number[];
}

/** What a module says of the memory that it needs, in bytes. */
export interface ModuleNeeds {
  /** Where the host's part of the memory begins; greater than 0, which means "none". */
  readonly heapStart: number;
  readonly workBytes: number;
}

export function layOutArena(program: Program, { heapStart, workBytes }: ModuleNeeds, shards: number): ArenaLayout {
  let bytes = heapStart;
  const reserve = (size: number) => {
    const at = bytes;
    bytes = Math.ceil((at + size) / ALIGNMENT) * ALIGNMENT;
    return at;
  };
  const { sizes } = program;
  const value = reserve(4 * sizes.value);
  const average = reserve(4 * sizes.gradient);
  const squareAverage = reserve(4 * sizes.gradient);
  const scratchSize = Math.max(sizes.scratch, updateScratch(program));
  const own = Array.from({ length: shards }, () => ({
    gradient: reserve(4 * sizes.gradient),
    work: reserve(4 * sizes.work),
    scratch: reserve(4 * scratchSize),
    workAreas: reserve(workBytes),
  }));
  reserve(MARGIN);
  return {
    bytes,
    sections: own.map(({ gradient, work, scratch }) => ({ value, average, squareAverage, gradient, work, scratch })),
    workAreas: own.map(({ workAreas }) => workAreas),
  };
}

/** A memory that threads may share, all zero; pages that are not touched take no room. @throws {TensorError} `too-large` */
export function reserveMemory({ bytes }: ArenaLayout): WebAssembly.Memory {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  const remedy = "use a smaller model, batch or context";
  if (pages > MAX_PAGES) {
    throw new TensorError("too-large", `an arena of ${bytes} bytes, of at most ${MAX_PAGES * PAGE_BYTES}`, remedy);
  }
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (cause) {
    throw new TensorError("too-large", `no memory for an arena of ${bytes} bytes`, remedy, { cause });
  }
}
