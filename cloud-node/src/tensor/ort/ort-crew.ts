import type { Arena } from "../arena.ts";
import type { Program } from "../program.ts";
import type { Crew, Pass } from "../shard-calls.ts";
import { type Address, sizeOf } from "../tensor.ts";
import { TensorError } from "../tensor-error.ts";
import { DropoutMask } from "./dropout-mask.ts";
import type { Value } from "./onnx-model.ts";
import type { OnnxRuntime, OnnxSession, OnnxTensor } from "./onnx-runtime.ts";
import { emitProgram, type PlacedDropout, type PlacedValue } from "./program-graph.ts";

/** A session, and the tensors that every run is given and fills. */
interface PassSession {
  readonly session: OnnxSession;
  readonly feeds: Record<string, OnnxTensor>;
  readonly fetches: Record<string, OnnxTensor>;
  readonly states: readonly { readonly before: string; readonly after: string }[];
  readonly masks: readonly DropoutMask[];
}

/** Runs the passes of a program in ONNX Runtime, over the numbers of an arena where they lie. */
export class OrtCrew implements Crew {
  readonly #runtime: OnnxRuntime;
  readonly #program: Program;
  readonly #arena: Arena;
  readonly #threads: number;
  /** By what draws them. */
  readonly #masks = new Map<Address, DropoutMask>();
  readonly #sessions = new Map<Pass, Promise<PassSession>>();

  private constructor(runtime: OnnxRuntime, program: Program, arena: Arena, threads: number) {
    this.#runtime = runtime;
    this.#program = program;
    this.#arena = arena;
    this.#threads = threads;
  }

  /**
   * With the session that the program is there for; the other one, of a program with gradients, is made when it is
   * asked for.
   *
   * @throws {TensorError} `onnxruntime-failed`
   */
  static async start(runtime: OnnxRuntime, program: Program, arena: Arena, threads: number): Promise<OrtCrew> {
    const crew = new OrtCrew(runtime, program, arena, threads);
    await crew.#session(program.backward.length > 0 ? "backward" : "forward");
    return crew;
  }

  async run(pass: Pass): Promise<void> {
    const { session, feeds, fetches, states, masks } = await this.#session(pass);
    for (const mask of masks) mask.refresh();
    try {
      await session.run(feeds, fetches);
    } catch (cause) {
      throw failed("ONNX Runtime could not run the program", cause);
    }
    // What was handed on is read by the next run, which writes over what this one read.
    for (const { before, after } of states) {
      const [old, fresh] = [feeds[before], fetches[after]];
      if (old === undefined || fresh === undefined) continue;
      feeds[before] = fresh;
      fetches[after] = old;
    }
  }

  close(): void {
    for (const opening of this.#sessions.values()) void opening.then(({ session }) => session.release());
    this.#sessions.clear();
  }

  #session(pass: Pass): Promise<PassSession> {
    const known = this.#sessions.get(pass);
    if (known !== undefined) return known;
    const opening = this.#open(pass);
    this.#sessions.set(pass, opening);
    return opening;
  }

  async #open(pass: Pass): Promise<PassSession> {
    const { model, inputs, outputs, states, dropouts } = emitProgram(this.#program, pass);
    const opening = this.#runtime.InferenceSession.create(model, {
      executionProviders: ["cpu"],
      intraOpNumThreads: this.#threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
    });
    const session = await opening.catch((cause: unknown) => {
      throw failed("ONNX Runtime does not take the program's graph", cause);
    });
    const feeds = Object.fromEntries(inputs.map((input) => [input.value.name, this.#view(input)]));
    const fetches = Object.fromEntries(outputs.map((output) => [output.value.name, this.#view(output)]));
    for (const { before, after } of states) {
      feeds[before.name] = this.#own(before);
      fetches[after.name] = this.#own(after);
    }
    const names = states.map(({ before, after }) => ({ before: before.name, after: after.name }));
    const masks = dropouts.map((dropout) => {
      const mask = this.#mask(dropout);
      feeds[dropout.kept.name] = new this.#runtime.Tensor("bool", mask.kept, dropout.kept.shape);
      feeds[dropout.growth.name] = new this.#runtime.Tensor("float32", mask.growth, dropout.growth.shape);
      return mask;
    });
    return { session, feeds, fetches, states: names, masks };
  }

  /** One for both passes. */
  #mask({ draw, rate, kept }: PlacedDropout): DropoutMask {
    const words = this.#arena.integers(draw.section, draw.offset, 3) as Int32Array;
    const mask = this.#masks.get(draw) ?? new DropoutMask(words, sizeOf(kept.shape), rate);
    this.#masks.set(draw, mask);
    return mask;
  }

  #view({ place: { section, offset }, value: { shape, type } }: PlacedValue): OnnxTensor {
    const count = sizeOf(shape);
    const { Tensor } = this.#runtime;
    if (type === "int32") return new Tensor(type, this.#arena.integers(section, offset, count) as Int32Array, shape);
    return new Tensor("float32", this.#arena.numbers(section, offset, count) as Float32Array, shape);
  }

  #own({ shape }: Value): OnnxTensor {
    return new this.#runtime.Tensor("float32", new Float32Array(sizeOf(shape)), shape);
  }
}

function failed(problem: string, cause: unknown): TensorError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TensorError("onnxruntime-failed", `${problem} (${reason})`, "use another backend", { cause });
}
