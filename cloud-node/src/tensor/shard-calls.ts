import { type Arena, bindCalls } from "./arena.ts";
import type { CallParts } from "./part-calls.ts";
import type { Program } from "./program.ts";

/** Halves of a step: `backward` is forward and backward. */
export type Pass = "forward" | "backward";

/** Runs the calls of a program over one arena. */
export class ShardCalls {
  readonly #forward: readonly (() => void)[];
  readonly #backward: readonly (() => void)[];

  constructor(program: Program, arena: Arena) {
    this.#forward = bindCalls(program.forward, arena);
    this.#backward = bindCalls(program.backward, arena);
  }

  run(pass: Pass): void {
    for (const call of this.#forward) call();
    if (pass === "backward") for (const call of this.#backward) call();
  }
}

/** Runs one pass over every shard of an engine. */
export interface Crew {
  /** Until all are done; one pass at a time. */
  run(pass: Pass): Promise<void>;
  /** Runs calls for parts of the parameters; the calling thread does when absent. */
  readonly callParts?: CallParts;
  close(): void;
}

/** The calling thread alone, shard after shard. */
export function singleThread(program: Program, arenas: readonly Arena[]): Crew {
  const shards = arenas.map((arena) => new ShardCalls(program, arena));
  return {
    async run(pass) {
      for (const shard of shards) shard.run(pass);
    },
    close() {
      // Nothing is held but memory, which goes with the engine.
    },
  };
}
