import type { SeededRandom } from "@lockstep/sim";
import { below, generateModule, pick } from "./generated-module.ts";
import { type InterpreterAnswer, type InterpreterCase, runCases } from "./interpreter-host.ts";

/** What became of compared cases. */
export interface FuzzTally {
  /** Cases that the interpreter took and ran. */
  readonly run: number;
  readonly calls: number;
  /** Calls that ended in a trap that both have. */
  readonly traps: number;
  /** Cases that it refused, by name. */
  readonly refused: Readonly<Record<string, number>>;
  /** Calls that it stopped for gas or stack, which Node has not: nothing after them is compared. */
  readonly stopped: number;
  /** One line for each case on which the two do not agree. */
  readonly differences: readonly string[];
}

/** Refusals that say that no engine would take the module; every other one says what is wanted that is not there. */
const INVALID = [
  ...["bad-header", "truncated", "bad-number", "bad-section", "bad-type", "bad-index", "type-mismatch"],
  ...["bad-alignment", "bad-nesting", "immutable", "duplicate-export", "bad-limits", "body-count"],
];
const CALLS_MOST = 6;
const GAS = 300_000;
/** V8's words for traps. */
const TRAPS: readonly (readonly [RegExp, string])[] = [
  [/divide result unrepresentable/, "int-overflow"],
  [/(divide|remainder) by zero/, "divide-by-zero"],
  [/memory access out of bounds/, "out-of-bounds"],
  [/unreachable/, "unreachable"],
];

/** What is spoilt to make modules that are nearly valid. */
export interface FuzzSources {
  readonly modules: readonly Uint8Array[];
}

/** A case: a generated module, or one that was spoilt. @param random  of this case alone */
export function fuzzCase(random: SeededRandom, { modules }: FuzzSources): InterpreterCase {
  const kind = below(random, 4);
  const whole = kind === 3 ? pick(random, modules) : generateModule(random);
  const wasm = kind < 2 ? whole : spoil(whole, random);
  return { wasm, gas: GAS, calls: callsOf(wasm, random) };
}

/** Bytes changed, moved, left out or put in. */
function spoil(wasm: Uint8Array, random: SeededRandom): Uint8Array {
  let bytes = Array.from(wasm);
  for (let times = 1 + below(random, 3); times > 0; times--) {
    if (bytes.length <= 8) break;
    const at = 8 + below(random, bytes.length - 8);
    const value = pick(random, [random.uint32() & 0xff, below(random, 0x20), 0x40 + below(random, 0x80), 0xff, 0x80]);
    const ways = [
      () => bytes.with(at, (bytes[at] ?? 0) ^ (1 << below(random, 8))),
      () => bytes.with(at, value),
      () => bytes.with(at, value),
      () => [...bytes.slice(0, at), value, ...bytes.slice(at + 1 + below(random, 2))],
      () => bytes.slice(0, at).concat(value, bytes.slice(at)),
      () => bytes.slice(0, at),
    ];
    bytes = pick(random, ways)();
  }
  return Uint8Array.from(bytes);
}

/** Some of its functions, if it is valid and all they take is integers; their types are read out of Node by calling. */
function callsOf(wasm: Uint8Array, random: SeededRandom): InterpreterCase["calls"] {
  const module = compile(wasm);
  if (module === null || WebAssembly.Module.imports(module).length > 0) return [];
  const types = exportsOf(wasm).functions;
  const names = [...types].filter(([name]) => name.length < 256);
  if (names.length === 0) return [];
  return Array.from({ length: 1 + below(random, CALLS_MOST) }, () => {
    const [name, params] = pick(random, names);
    const value = () => pick(random, [random.uint32(), below(random, 300), 2 ** 32 - 1, 2 ** 31, 0]);
    return { name, words: params.flatMap((type) => (type === 0x7f ? [value()] : [value(), value()])) };
  });
}

function compile(wasm: Uint8Array): WebAssembly.Module | null {
  const bytes = wasm as Uint8Array<ArrayBuffer>;
  return WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : null;
}

/** What a module calls by name. */
interface NamedExports {
  /** Parameters of functions that take integers alone. */
  readonly functions: Map<string, number[]>;
  /** Places of globals: a module that was spoilt may export one under the name of another. */
  readonly globals: Map<string, number>;
}

/** Exports of a valid module without imports. Sections that it has no use for are passed over. */
function exportsOf(wasm: Uint8Array): NamedExports {
  let at = 8;
  const byte = () => wasm[at++] ?? 0;
  const uint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const next = byte();
      value += (next & 0x7f) * scale;
      if (next < 0x80) return value;
    }
  };
  const list = <T>(item: () => T) => Array.from({ length: uint() }, item);
  const types: number[][] = [];
  let functions: number[] = [];
  const exported = new Map<string, number[]>();
  const globals = new Map<string, number>();
  while (at < wasm.length) {
    const id = byte();
    const end = uint() + at;
    if (id === 1) {
      for (let count = uint(); count > 0 && byte() === 0x60; count--) {
        types.push(list(byte));
        list(byte);
      }
    }
    if (id === 3) functions = list(uint);
    if (id === 7) {
      for (let count = uint(); count > 0; count--) {
        const length = uint();
        at += length;
        const name = Buffer.from(wasm.subarray(at - length, at)).toString("latin1");
        const kind = byte();
        const place = uint();
        const params = types[functions[place] ?? -1];
        const isPlain = params?.every((type) => type === 0x7f || type === 0x7e) ?? false;
        if (kind === 3) globals.set(name, place);
        if (kind === 0 && params !== undefined && isPlain && /^[ -~]*$/.test(name)) exported.set(name, params);
      }
    }
    at = end;
  }
  return { functions: exported, globals };
}

/** Run cases in the interpreter and in Node, and compare: what is refused, every result, every trap, memory and globals. */
export async function compareCases(host: string, cases: readonly InterpreterCase[]): Promise<FuzzTally> {
  const answers = await runCases(host, cases);
  const tally = { run: 0, calls: 0, traps: 0, stopped: 0, refused: {} as Record<string, number> };
  const differences: string[] = [];
  for (const [i, answer] of answers.entries()) {
    const given = cases[i];
    if (given === undefined) continue;
    const difference = compareCase(given, answer, tally);
    if (difference !== null) differences.push(`case ${i}: ${difference}`);
  }
  return { ...tally, differences };
}

type OpenTally = { run: number; calls: number; traps: number; stopped: number; refused: Record<string, number> };

function compareCase(given: InterpreterCase, answer: InterpreterAnswer, tally: OpenTally): string | null {
  const module = compile(given.wasm);
  if (answer.code !== "ok") {
    tally.refused[answer.code] = (tally.refused[answer.code] ?? 0) + 1;
    const isWrong = module !== null && INVALID.includes(answer.code);
    return isWrong ? `${answer.code} at ${answer.at}, and Node takes it` : null;
  }
  if (module === null) return "taken, and Node refuses it";
  tally.run++;
  const { exports } = new WebAssembly.Instance(module);
  const named = exportsOf(given.wasm);
  const types = named.functions;
  for (const [i, call] of answer.calls.entries()) {
    const { name = "", words = [] } = given.calls[i] ?? {};
    if (call.code === "gas-exhausted" || call.code === "stack-exhausted") {
      tally.stopped++;
      return null;
    }
    tally.calls++;
    const theirs = callInNode(exports[name] as CallableFunction, types.get(name) ?? [], words);
    if (theirs.code !== "ok") tally.traps++;
    const ours = call.code === "ok" ? resultOf(call, theirs.result) : null;
    if (call.code !== theirs.code || ours !== theirs.result) {
      return `${name}(${words}): ${call.code} ${ours} at ${call.at}, Node ${theirs.code} ${theirs.result}`;
    }
  }
  return compareState(answer, exports, named.globals);
}

type NodeResult = number | bigint | null;

/** An i32 is the low word; where Node gives nothing, neither does the interpreter. */
function resultOf(call: { low: number; high: number }, like: NodeResult): NodeResult {
  if (like === null) return null;
  if (typeof like === "number") return call.low | 0;
  return BigInt.asIntN(64, (BigInt(call.high) << 32n) | BigInt(call.low));
}

function callInNode(
  called: CallableFunction,
  params: readonly number[],
  words: readonly number[],
): { code: string; result: NodeResult } {
  let at = 0;
  const args = params.map((type) => {
    const low = words[at++] ?? 0;
    return type === 0x7f ? low | 0 : BigInt.asIntN(64, (BigInt(words[at++] ?? 0) << 32n) | BigInt(low));
  });
  try {
    return { code: "ok", result: called(...args) ?? null };
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return { code: TRAPS.find(([pattern]) => pattern.test(said))?.[1] ?? said, result: null };
  }
}

function compareState(
  answer: InterpreterAnswer,
  exports: WebAssembly.Exports,
  globals: ReadonlyMap<string, number>,
): string | null {
  for (const value of Object.values(exports)) {
    if (value instanceof WebAssembly.Memory) {
      const hash = hashOf(new Uint8Array(value.buffer, 0, Math.min(65_536, value.buffer.byteLength)));
      if (hash !== answer.memoryHash) return "another memory";
    }
  }
  const theirs = Object.entries(exports).flatMap(([name, value]) =>
    value instanceof WebAssembly.Global && name === `g${globals.get(name)}` ? wordsOf(value.value) : [],
  );
  const isGenerated = theirs.length === answer.globals.length && "g0" in exports;
  return isGenerated && theirs.some((word, i) => word !== answer.globals[i]) ? "other globals" : null;
}

function wordsOf(value: number | bigint): number[] {
  return typeof value === "number"
    ? [value >>> 0]
    : [Number(BigInt.asUintN(32, value)), Number(BigInt.asUintN(32, value >> 32n))];
}

/** FNV-1a of 64 bits, in two halves: numbers are faster than a bigint for each byte. */
function hashOf(bytes: Uint8Array): bigint {
  let low = 0x84222325;
  let high = 0xcbf29ce4;
  for (const byte of bytes) {
    low = (low ^ byte) >>> 0;
    // times 2^40 + 0x1b3
    const product = low * 0x1b3;
    high = (Math.imul(high, 0x1b3) + Math.floor(product / 2 ** 32) + (low << 8)) >>> 0;
    low = product >>> 0;
  }
  return (BigInt(high) << 32n) | BigInt(low);
}
