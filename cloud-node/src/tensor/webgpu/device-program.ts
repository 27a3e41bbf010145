import { InvariantError } from "../../invariant-error.ts";
import { bindCalls } from "../arena.ts";
import type { TrainOutcome } from "../engine.ts";
import type { Kernels } from "../kernels.ts";
import type { OptimizerStep } from "../optimizer.ts";
import { Optimizer } from "../optimizer-update.ts";
import type { KernelCall, Program } from "../program.ts";
import type { Pass } from "../shard-calls.ts";
import { DeviceArena, DeviceLayout, type ReadPlace } from "./device-arena.ts";
import type { DevicePipelines } from "./device-pipelines.ts";
import type { DeviceSection } from "./dispatch.ts";
import { DispatchList } from "./dispatch-list.ts";
import { DispatchRecorder } from "./dispatch-recorder.ts";
import { recordAttention } from "./record-attention.ts";
import { recordActivations, recordElementwise } from "./record-elementwise.ts";
import { recordMatmul } from "./record-products.ts";
import { recordLoss, recordNorms } from "./record-rows.ts";
import { CONTROL, recordVerdict, updateRecorder } from "./record-updates.ts";

/** Weights of attention that are kept at a time, at most, in numbers: 256 MiB. */
const MOST_WEIGHTS = 2 ** 26;
/** They share a buffer with all that a step computes: so much of what a device binds at once may be theirs. */
const WEIGHTS_SHARE = 1 / 16;
/** Numbers that a step gives back: loss and norm. */
const ANSWER_COUNT = 2;

/**
 * A program on a device: every pass, and a whole step of training, is one command buffer, and what comes back is the
 * loss and the norm of the gradients.
 */
export class DeviceProgram {
  readonly #device: GPUDevice;
  readonly #program: Program;
  readonly #layout: DeviceLayout;
  readonly #recorder = new DispatchRecorder();
  readonly #optimizer: Optimizer;
  readonly #passes: Readonly<Record<Pass, DispatchList>>;
  readonly #update: DispatchList;
  /** Where loss and norm come back, step by step. */
  readonly #answer: GPUBuffer;
  #arena: DeviceArena | undefined;

  private constructor(device: GPUDevice, pipelines: DevicePipelines, program: Program) {
    this.#device = device;
    this.#program = program;
    this.#layout = new DeviceLayout(program);
    const list = () => new DispatchList(device, pipelines);
    this.#passes = { forward: list(), backward: list() };
    this.#update = list();
    this.#answer = this.#readable(ANSWER_COUNT);
    const address = this.#layout.address.bind(this.#layout);
    this.#optimizer = new Optimizer(
      program,
      updateRecorder(this.#recorder, this.#kernels(), this.#layout.control, address),
    );
  }

  /** @throws {DeviceLimitError} where it does not fit the device */
  static async open(device: GPUDevice, pipelines: DevicePipelines, program: Program): Promise<DeviceProgram> {
    const own = new DeviceProgram(device, pipelines, program);
    const [forward, backward] = [program.forward, program.backward].map((calls) => own.#record(calls));
    const arena = new DeviceArena(device, pipelines.arenaLayout, own.#layout.sizes(program, own.#recorder.scratchSize));
    own.#arena = arena;
    for (const { tensor, values } of program.constants) own.write("work", tensor.offset, Float32Array.from(values));
    await own.#passes.forward.set(forward ?? []);
    await own.#passes.backward.set(backward ?? []);
    return own;
  }

  write(section: DeviceSection, offset: number, values: Float32Array | Int32Array): void {
    this.#opened().write(section, offset, values);
  }

  /** @returns the output's first number */
  async run(pass: Pass): Promise<number> {
    const lists = pass === "forward" ? [this.#passes.forward] : [this.#passes.forward, this.#passes.backward];
    const [loss = Number.NaN] = await this.#submit(lists, [this.#output()]);
    return loss;
  }

  /** @returns the norm of the gradients @throws {TensorError} as `Engine.step` */
  async step(update: OptimizerStep): Promise<number> {
    await this.#prepare(update, 0);
    const [norm = Number.NaN] = await this.#submit([this.#update], [this.#norm()]);
    return norm;
  }

  /** @throws {TensorError} as `Engine.step` */
  async train(update: OptimizerStep): Promise<TrainOutcome> {
    const output = this.#output();
    await this.#prepare(update, this.#layout.address(output.section, output.offset));
    const lists = [this.#passes.forward, this.#passes.backward, this.#update];
    const [loss = Number.NaN, norm = Number.NaN] = await this.#submit(lists, [output, this.#norm()]);
    return { loss, gradientNorm: Number.isFinite(loss) ? norm : Number.NaN };
  }

  read(place: ReadPlace): Promise<Float32Array> {
    return this.#submit([], [place]);
  }

  close(): void {
    this.#arena?.close();
    this.#arena = undefined;
    this.#answer.destroy();
    for (const list of [this.#passes.forward, this.#passes.backward, this.#update]) list.close();
  }

  #kernels(): Kernels {
    const to = this.#recorder;
    const most = Math.min(MOST_WEIGHTS, (WEIGHTS_SHARE * this.#device.limits.maxStorageBufferBindingSize) / 4);
    return {
      ...recordElementwise(to),
      ...recordActivations(to),
      ...recordMatmul(to),
      ...recordNorms(to),
      ...recordLoss(to),
      ...recordAttention(to, { at: (offset) => this.#layout.address("scratch", offset), most }),
    };
  }

  #record(calls: readonly KernelCall[]) {
    const kernels = this.#kernels();
    for (const call of bindCalls(calls, { kernels, address: this.#layout.address.bind(this.#layout) })) call();
    return this.#recorder.take();
  }

  /** Rates change from step to step, and nothing else does: the same dispatches are recorded with others. */
  async #prepare(update: OptimizerStep, loss: number): Promise<void> {
    this.#optimizer.check(update);
    const gradient = { place: this.#layout.address("gradient", 0), count: this.#program.sizes.gradient };
    recordVerdict(this.#recorder, this.#layout.control, gradient, loss, update);
    this.#optimizer.apply(update, Number.NaN);
    await this.#update.set(this.#recorder.take());
  }

  #output(): ReadPlace {
    const { section, offset } = this.#program.output;
    return { section: section === "scratch" ? "work" : section, offset, count: 1 };
  }

  #norm(): ReadPlace {
    return { section: "work", offset: this.#layout.verdict + CONTROL.verdict, count: 1 };
  }

  /** One command buffer: all dispatches, then what is read. */
  async #submit(lists: readonly DispatchList[], places: readonly ReadPlace[]): Promise<Float32Array> {
    const arena = this.#opened();
    const count = places.reduce((sum, place) => sum + place.count, 0);
    const isAnswer = count <= ANSWER_COUNT;
    const readable = isAnswer ? this.#answer : this.#readable(count);
    const encoder = this.#device.createCommandEncoder();
    if (lists.length > 0) {
      const pass = encoder.beginComputePass();
      pass.setBindGroup(0, arena.bindGroup);
      for (const list of lists) list.encode(pass);
      pass.end();
    }
    let at = 0;
    for (const place of places) {
      arena.copyTo(encoder, place, readable, at);
      at += place.count;
    }
    this.#device.queue.submit([encoder.finish()]);
    await readable.mapAsync(GPUMapMode.READ);
    const numbers = new Float32Array(readable.getMappedRange().slice(0, 4 * count));
    if (isAnswer) readable.unmap();
    else readable.destroy();
    return numbers;
  }

  #readable(count: number): GPUBuffer {
    return this.#device.createBuffer({ size: 4 * count, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  }

  #opened(): DeviceArena {
    if (this.#arena === undefined) throw new InvariantError("a program is used that was closed");
    return this.#arena;
  }
}
