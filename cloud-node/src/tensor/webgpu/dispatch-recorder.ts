import { type Dispatch, type KernelId, resolvePlaces } from "./dispatch.ts";

/** Workgroups along one axis of a dispatch: what every device has. */
const MAX_GROUPS = 65_535;
/** `THREADS` of kernels/arena.wgsl. */
const THREADS = 128;

/** What a kernel is given beside places. */
export type Numbers = Readonly<Record<string, number>>;

/** Keeps the dispatches that kernels become. */
export class DispatchRecorder {
  #dispatches: Dispatch[] = [];
  #scratchSize = 0;

  /** Numbers of scratch that what was recorded needs, ever. */
  get scratchSize(): number {
    return this.#scratchSize;
  }

  /** What was recorded since the last call. */
  take(): readonly Dispatch[] {
    const taken = this.#dispatches;
    this.#dispatches = [];
    return taken;
  }

  needScratch(count: number): void {
    this.#scratchSize = Math.max(this.#scratchSize, count);
  }

  /** A thread for each of `count` numbers, or more where there are too many. */
  each(kernel: KernelId, count: number, places: Numbers, numbers: Numbers): void {
    this.groups(kernel, [Math.min(MAX_GROUPS, Math.ceil(count / THREADS)), 1, 1], places, numbers);
  }

  /** A workgroup for each row. */
  rows(kernel: KernelId, rows: number, places: Numbers, numbers: Numbers, constants: Numbers = {}): void {
    this.groups(kernel, [Math.min(MAX_GROUPS, rows), 1, 1], places, { rows, ...numbers }, constants);
  }

  groups(
    kernel: KernelId,
    groups: Dispatch["groups"],
    places: Numbers,
    numbers: Numbers,
    constants: Numbers = {},
  ): void {
    const resolved = resolvePlaces(places);
    this.#dispatches.push({
      kernel,
      sections: resolved.sections,
      constants,
      fields: { ...resolved.fields, ...numbers },
      groups,
    });
  }
}
