import type { SeededRandom } from "@lockstep/sim";
import { I32, I64, type NumberType, signed, unsigned, type WrittenFunction, writeModule } from "./module-writer.ts";

const TYPES = [I32, I64] as const;
const BINARY = { [I32]: [0x6a, 0x78], [I64]: [0x7c, 0x8a] } as const;
const COMPARE = { [I32]: [0x46, 0x4f], [I64]: [0x51, 0x5a] } as const;
const UNARY = { [I32]: [0x67, 0x68, 0x69, 0xc0, 0xc1], [I64]: [0x79, 0x7a, 0x7b, 0xc2, 0xc3, 0xc4] } as const;
/** Each with the logarithm of its bytes. */
const LOADS = {
  [I32]: [
    [0x28, 2],
    [0x2c, 0],
    [0x2d, 0],
    [0x2e, 1],
    [0x2f, 1],
  ],
  [I64]: [
    [0x29, 3],
    [0x30, 0],
    [0x31, 0],
    [0x32, 1],
    [0x33, 1],
    [0x34, 2],
    [0x35, 2],
  ],
} as const;
const STORES = {
  [I32]: [
    [0x36, 2],
    [0x3a, 0],
    [0x3b, 1],
  ],
  [I64]: [
    [0x37, 3],
    [0x3c, 0],
    [0x3d, 1],
    [0x3e, 2],
  ],
} as const;
const VOID = 0x40;
/** Numbers at which something happens, besides any other. */
const EDGES = [0n, 1n, -1n, 2n, 31n, 32n, 63n, 64n, 127n, 128n, -128n, 255n, 65_535n, 65_528n, 2n ** 31n, -(2n ** 31n)];
const FUNCTIONS_MOST = 6;
const DEPTH_MOST = 4;
const TRIPS_MOST = 5;

/** A label around a piece of code; null for one that takes nothing, a loop's among them. */
interface Label {
  readonly result: NumberType | null;
  readonly isLoop: boolean;
}

/**
 * A valid module of integers: structured control with loops of few turns, memory, globals, calls of functions before it,
 * branches of each kind with values on the stack. It stops by itself, with a result or a trap.
 */
export function generateModule(random: SeededRandom): Uint8Array {
  const globals = Array.from({ length: 1 + below(random, 5) }, () => pick(random, TYPES));
  const functions: WrittenFunction[] = [];
  for (let i = 1 + below(random, FUNCTIONS_MOST); i > 0; i--) {
    functions.push(new FunctionGenerator(random, functions, globals).generate());
  }
  const data = Array.from({ length: below(random, 64) }, () => random.uint32() & 0xff);
  return writeModule({ functions, globals, data });
}

class FunctionGenerator {
  readonly #random: SeededRandom;
  readonly #functions: readonly WrittenFunction[];
  readonly #globals: readonly NumberType[];
  readonly #params: NumberType[];
  readonly #result: NumberType | null;
  readonly #locals: NumberType[];
  /** Of the locals, those that are not written but by their loop. */
  readonly #counters: number[];
  #labels: Label[] = [];
  #loops = 0;
  #left = 60;

  constructor(random: SeededRandom, functions: readonly WrittenFunction[], globals: readonly NumberType[]) {
    this.#random = random;
    this.#functions = functions;
    this.#globals = globals;
    this.#params = Array.from({ length: below(random, 5) }, () => pick(random, TYPES));
    this.#result = pick(random, [I32, I64, null]);
    const others = Array.from({ length: below(random, 4) }, () => pick(random, TYPES));
    const first = this.#params.length + others.length;
    this.#counters = Array.from({ length: 3 }, (_, i) => first + i);
    this.#locals = [...this.#params, ...others, I32, I32, I32];
  }

  generate(): WrittenFunction {
    const result = this.#result;
    this.#labels = [{ result, isLoop: false }];
    const code = [...this.#statements(0), ...(result === null ? [] : this.#value(result, 0))];
    return {
      params: this.#params,
      results: result === null ? [] : [result],
      locals: this.#locals.slice(this.#params.length),
      code,
    };
  }

  #statements(depth: number): number[] {
    return Array.from({ length: 1 + below(this.#random, 4) }, () => this.#statement(depth)).flat();
  }

  #statement(depth: number): number[] {
    this.#left--;
    const isDeep = depth >= DEPTH_MOST || this.#left < 0;
    const simple = [
      () => this.#store(depth),
      () => this.#setLocal(depth),
      () => this.#setGlobal(depth),
      () => [...this.#value(pick(this.#random, TYPES), depth + 1), 0x1a],
      () => [0x01],
    ];
    const nested = [
      () => this.#block(depth, null),
      () => this.#ifElse(depth, null),
      () => this.#loop(depth),
      () => this.#branchIf(depth),
      () => this.#branchTable(depth),
      () => this.#call(null, depth),
      // What follows a branch is never reached, and must be valid all the same.
      () => [...this.#value(I32, depth + 1), 0x04, VOID, ...this.#within(null, () => this.#leave(depth)), 0x0b],
    ];
    return pick(this.#random, isDeep ? simple : [...simple, ...nested, ...nested])();
  }

  /** Code inside a label. */
  #within(result: NumberType | null, code: () => number[], isLoop = false): number[] {
    this.#labels.push({ result, isLoop });
    const inside = code();
    this.#labels.pop();
    return inside;
  }

  #block(depth: number, result: NumberType | null): number[] {
    const inside = this.#within(result, () => [
      ...this.#statements(depth + 1),
      ...(result === null ? [] : this.#value(result, depth + 1)),
    ]);
    return [0x02, result ?? VOID, ...inside, 0x0b];
  }

  #ifElse(depth: number, result: NumberType | null): number[] {
    const arm = () => [...this.#statements(depth + 1), ...(result === null ? [] : this.#value(result, depth + 1))];
    const condition = this.#value(I32, depth + 1);
    const inside = this.#within(result, () => {
      const first = arm();
      return result === null && below(this.#random, 2) === 0 ? first : [...first, 0x05, ...arm()];
    });
    return [...condition, 0x04, result ?? VOID, ...inside, 0x0b];
  }

  #loop(depth: number): number[] {
    const counter = this.#counters[this.#loops];
    if (counter === undefined) return this.#block(depth, null);
    this.#loops++;
    const trips = 1 + below(this.#random, TRIPS_MOST);
    const inside = this.#within(null, () => this.#statements(depth + 1), true);
    this.#loops--;
    const count = [0x20, counter, 0x41, 1, 0x6b, 0x22, counter];
    return [0x41, trips, 0x21, counter, 0x03, VOID, ...inside, ...count, 0x0d, 0, 0x0b];
  }

  /** Labels that may be left, by their depth: a loop's own begin is for its count alone. */
  #targets(wanted?: NumberType | null): number[] {
    return this.#labels
      .map((_, i) => i)
      .filter((i) => {
        const label = this.#labels[this.#labels.length - 1 - i];
        return label !== undefined && !label.isLoop && (wanted === undefined || label.result === wanted);
      });
  }

  #labelResult(target: number): NumberType | null {
    return this.#labels[this.#labels.length - 1 - target]?.result ?? null;
  }

  #branchIf(depth: number): number[] {
    const target = pick(this.#random, this.#targets());
    const result = this.#labelResult(target);
    const condition = this.#value(I32, depth + 1);
    return result === null
      ? [...condition, 0x0d, target]
      : [...this.#value(result, depth + 1), ...condition, 0x0d, target, 0x1a];
  }

  #branchTable(depth: number): number[] {
    const result = this.#labelResult(pick(this.#random, this.#targets()));
    return [0x02, VOID, ...this.#within(null, () => this.#tableOf(depth, result)), 0x0b];
  }

  #tableOf(depth: number, result: NumberType | null): number[] {
    const targets = this.#targets(result);
    const listed = Array.from({ length: below(this.#random, 5) }, () => pick(this.#random, targets));
    const value = result === null ? [] : this.#value(result, depth + 1);
    const below16 = [...this.#value(I32, depth + 1), 0x41, 7, 0x71];
    return [...value, ...below16, 0x0e, ...unsigned(listed.length), ...listed, pick(this.#random, targets)];
  }

  /** Something that does not go on, with junk under its value and nonsense behind it. */
  #leave(depth: number): number[] {
    const junk = Array.from({ length: below(this.#random, 3) }, () =>
      this.#value(pick(this.#random, TYPES), depth + 2),
    ).flat();
    const behind = below(this.#random, 2) === 0 ? [] : [0x6a, 0x1b, 0x1a];
    if (below(this.#random, 12) === 0) return [...junk, 0x00, ...behind];
    if (below(this.#random, 3) === 0) {
      const value = this.#result === null ? [] : this.#value(this.#result, depth + 1);
      return [...junk, ...value, 0x0f, ...behind];
    }
    const target = pick(this.#random, this.#targets());
    const result = this.#labelResult(target);
    return [...junk, ...(result === null ? [] : this.#value(result, depth + 1)), 0x0c, target, ...behind];
  }

  #localsOf(type: NumberType, isWritten: boolean): number[] {
    return this.#locals.flatMap((each, i) => (each === type && !(isWritten && this.#counters.includes(i)) ? [i] : []));
  }

  #setLocal(depth: number): number[] {
    const type = pick(this.#random, TYPES);
    const locals = this.#localsOf(type, true);
    return locals.length === 0 ? [0x01] : [...this.#value(type, depth + 1), 0x21, pick(this.#random, locals)];
  }

  #setGlobal(depth: number): number[] {
    const number = below(this.#random, this.#globals.length);
    return [...this.#value(this.#globals[number] ?? I32, depth + 1), 0x24, number];
  }

  #access(list: readonly (readonly [number, number])[]): number[] {
    const [opcode, width] = pick(this.#random, list);
    const offset = pick(
      this.#random,
      below(this.#random, 30) === 0 ? [65_530, 2 ** 32 - 1] : [0, 0, 1, 4, 127, 128, 300],
    );
    return [opcode, below(this.#random, width + 1), ...unsigned(offset)];
  }

  /** Mostly inside the memory, and now and then around its end. */
  #address(depth: number): number[] {
    if (below(this.#random, 20) === 0) return [0x41, ...signed(BigInt(65_524 + below(this.#random, 16)))];
    const isFree = below(this.#random, 80) === 0;
    return [...this.#value(I32, depth + 1), ...(isFree ? [] : [0x41, ...signed(0x7fffn), 0x71])];
  }

  #store(depth: number): number[] {
    const type = pick(this.#random, TYPES);
    const list: readonly (readonly [number, number])[] = STORES[type];
    return [...this.#address(depth), ...this.#value(type, depth + 1), ...this.#access(list)];
  }

  #call(wanted: NumberType | null, depth: number): number[] {
    const fitting = this.#functions.flatMap((each, i) => ((each.results[0] ?? null) === wanted ? [i] : []));
    if (fitting.length === 0) return wanted === null ? [0x01] : this.#constant(wanted);
    const number = pick(this.#random, fitting);
    const params = this.#functions[number]?.params ?? [];
    return [...params.flatMap((type) => this.#value(type, depth + 1)), 0x10, ...unsigned(number)];
  }

  #constant(type: NumberType): number[] {
    const edge = pick(this.#random, EDGES);
    const any = (BigInt(this.#random.uint32()) << 32n) | BigInt(this.#random.uint32());
    const value = BigInt.asIntN(type === I32 ? 32 : 64, below(this.#random, 3) === 0 ? any : edge);
    return [type === I32 ? 0x41 : 0x42, ...signed(value)];
  }

  #value(type: NumberType, depth: number): number[] {
    this.#left--;
    const random = this.#random;
    const locals = this.#localsOf(type, false);
    const leaves = [
      () => this.#constant(type),
      () => (locals.length === 0 ? this.#constant(type) : [0x20, pick(random, locals)]),
      () => {
        const globals = this.#globals.flatMap((each, i) => (each === type ? [i] : []));
        return globals.length === 0 ? this.#constant(type) : [0x23, pick(random, globals)];
      },
    ];
    if (depth > 2 * DEPTH_MOST || this.#left < 0) return pick(random, leaves)();
    const value = (given: NumberType) => this.#value(given, depth + 1);
    const binary = () => {
      const [first, last] = BINARY[type];
      return [...value(type), ...value(type), first + below(random, last - first + 1)];
    };
    const other = type === I32 ? I64 : I32;
    const branches = [
      binary,
      binary,
      binary,
      () => [...value(type), pick<number>(random, UNARY[type])],
      () => {
        if (type === I64) return [...value(I32), pick(random, [0xac, 0xad])];
        const of = pick(random, TYPES);
        const [first, last] = COMPARE[of];
        return [...value(of), ...value(of), first + below(random, last - first + 1)];
      },
      () => (type === I32 ? [...value(other), pick(random, [0xa7, 0x50])] : [...value(I32), 0xac]),
      () => (type === I32 ? [...value(I32), 0x45] : [...value(I32), 0xad]),
      () => [...value(type), ...value(type), ...value(I32), 0x1b],
      () => {
        const list: readonly (readonly [number, number])[] = LOADS[type];
        return [...this.#address(depth), ...this.#access(list)];
      },
      () => {
        const written = this.#localsOf(type, true);
        return written.length === 0 ? value(type) : [...value(type), 0x22, pick(random, written)];
      },
      () => this.#call(type, depth),
      ...(depth < DEPTH_MOST ? [() => this.#block(depth, type), () => this.#ifElse(depth, type)] : []),
    ];
    return pick(random, [...leaves, ...branches])();
  }
}

/** 0 … n − 1. */
export function below(random: SeededRandom, n: number): number {
  return Math.floor(random.uniform() * n);
}

/** One of several. */
export function pick<T>(random: SeededRandom, from: readonly T[]): T {
  return from[below(random, from.length)] as T;
}
