import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { programPath } from "../os-package.ts";
import { BOARD_SUPPORT, CACHE_FOLDER, STRICT } from "./c-host-build.ts";

/** The interpreter's folder. */
export const INTERPRETER = `${BOARD_SUPPORT}/interpreter`;
/** Its C, all of it. */
export const INTERPRETER_C = [
  "check-module.c",
  "check-code.c",
  "check-labels.c",
  "binary-format.c",
  "start.c",
  "execute.c",
  "wide.c",
].map((name) => `${INTERPRETER}/${name}`);
const HOST_C = fileURLToPath(new URL("interpreter-host.c", import.meta.url));
const SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

/** One module, and the calls that are made of it. */
export interface InterpreterCase {
  readonly wasm: Uint8Array;
  readonly memoryBytes?: number;
  readonly stackWords?: number;
  readonly workHalfwords?: number;
  readonly gas?: number;
  /** Of the index, at most so many bytes are taken. */
  readonly indexBytes?: number;
  /** Added to the first byte of the index before the start. */
  readonly indexDamage?: number;
  readonly calls: readonly { readonly name: string; readonly words: readonly number[] }[];
}

/** What became of a call; `at` is behind the instruction that stopped it. */
export interface CallAnswer {
  readonly code: string;
  readonly at: number;
  readonly gasLeft: number;
  readonly low: number;
  readonly high: number;
}

/** What the interpreter made of a case; `code` is that of the check, else of the start. */
export interface InterpreterAnswer {
  readonly code: string;
  /** Of a refusal its place, else the index' bytes. */
  readonly at: number;
  readonly calls: readonly CallAnswer[];
  readonly memoryHash: bigint;
  readonly globals: readonly number[];
}

const DEFAULTS = {
  memoryBytes: 65_536,
  stackWords: 4096,
  workHalfwords: 8192,
  gas: 1_000_000,
  indexBytes: 2 ** 20,
  indexDamage: 0,
};

/** Names of the interpreter's codes, by number, in the words of its header: `divide-by-zero`. */
export const CODE_NAMES: ReadonlyMap<number, string> = new Map(
  [...readFileSync(`${INTERPRETER}/interpreter.h`, "utf8").matchAll(/^ {2}INTERPRETER_(\w+) = (\d+)/gm)].map(
    ([, name = "", code]) => [Number(code), name.toLowerCase().replaceAll("_", "-")],
  ),
);

/** Build the interpreter for this machine, under the sanitizers where the compiler has them. @returns the program */
export function buildHost(): string {
  mkdirSync(CACHE_FOLDER, { recursive: true });
  const file = join(CACHE_FOLDER, "interpreter-host");
  const made = `${file}-${process.pid}`;
  const sanitizers = hasSanitizers() ? SANITIZERS : [];
  const args = ["-std=c99", "-g", "-O1", ...STRICT, ...sanitizers, `-I${INTERPRETER}`, "-o", made];
  execFileSync(programPath("c-compiler"), [...args, ...INTERPRETER_C, HOST_C], { stdio: "pipe" });
  renameSync(made, file);
  return file;
}

function hasSanitizers(): boolean {
  try {
    const input = "int main(void) { return 0; }\n";
    execFileSync(programPath("c-compiler"), [...SANITIZERS, "-xc", "-o", "/dev/null", "-"], { input, stdio: "pipe" });
    return true;
  } catch {
    return false;
  }
}

/**
 * Run cases, one after the other in one process.
 *
 * @throws {RangeError} when the program does not end well, with the number of the case and what it said
 */
export async function runCases(host: string, cases: readonly InterpreterCase[]): Promise<InterpreterAnswer[]> {
  const child = spawn(host, { stdio: "pipe" });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  child.stdin.on("error", () => {});
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  child.stdin.end(Buffer.concat(cases.map(requestOf)));
  const exitCode = await ended;
  const reader = new AnswerReader(Buffer.concat(output));
  const answers: InterpreterAnswer[] = [];
  while (!reader.isDone()) answers.push(reader.answer(cases[answers.length]?.calls.length ?? 0));
  if (exitCode === 0 && answers.length === cases.length) return answers;
  throw new RangeError(`case ${answers.length}: exit code ${exitCode}, ${Buffer.concat(errors)}`);
}

function requestOf(given: InterpreterCase): Buffer {
  const all = { ...DEFAULTS, ...given };
  const { wasm, memoryBytes, stackWords, workHalfwords, gas, calls, indexBytes, indexDamage } = all;
  return Buffer.concat([
    words([wasm.length, memoryBytes, stackWords, workHalfwords, gas, calls.length, indexBytes, indexDamage]),
    wasm,
    ...calls.flatMap(({ name, words: args }) => [
      Buffer.from([name.length]),
      Buffer.from(name),
      Buffer.from([args.length]),
      words(args),
    ]),
  ]);
}

function words(values: readonly number[]): Buffer {
  return Buffer.from(Uint32Array.from(values).buffer);
}

class AnswerReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  isDone(): boolean {
    return this.#at >= this.#bytes.length;
  }

  answer(calls: number): InterpreterAnswer {
    const nothing = { calls: [], memoryHash: 0n, globals: [] };
    const code = this.#code();
    const at = this.#word();
    if (code !== "ok") return { code, at, ...nothing };
    const started = this.#code();
    if (started !== "ok") return { code: started, at, ...nothing };
    const answers = Array.from({ length: calls }, () => this.#call());
    this.#word();
    const memoryHash = BigInt(this.#word()) | (BigInt(this.#word()) << 32n);
    return { code, at, calls: answers, memoryHash, globals: Array.from({ length: this.#word() }, () => this.#word()) };
  }

  #call(): CallAnswer {
    return {
      code: this.#code(),
      at: this.#word(),
      gasLeft: this.#word(),
      low: this.#word(),
      high: this.#word(),
    };
  }

  #code(): string {
    const code = this.#word();
    return CODE_NAMES.get(code) ?? `code ${code}`;
  }

  #word(): number {
    this.#at += 4;
    return this.#bytes.readUInt32LE(this.#at - 4);
  }
}
