import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type BoardName, build, cycleBoundOfRun, type Firmware, RunnerError, run } from "qemu-wasm-runner";
import { BOARD_SUPPORT, CACHE_FOLDER, STRICT } from "../conformance/c-host-build.ts";
import type { BenchGoal, BenchTable } from "./bench.ts";
import { BenchError } from "./bench-error.ts";

/** One build of the cryptography of updates. */
export interface CryptoPlan {
  readonly board: BoardName;
  readonly core: string;
  readonly optimize: "size" | "speed";
}

/** What is given to the program: a signature, or whatever stands where one is expected. */
export interface SignedMessage {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** What the program answers: instructions, and whether the signature was taken. */
export interface CryptoCounts {
  readonly begin: number;
  readonly stepMax: number;
  readonly end: number;
  readonly isTaken: boolean;
  /** What stands in place of the signature begins with the message's HMAC-SHA256 under the public key. */
  readonly isRight: boolean;
  readonly scratchBytes: number;
  readonly stackBytes: number;
  /** SHA-256, HMAC-SHA256 and CRC-32 of the message; 0 of a program without them. */
  readonly hash: number;
  readonly code: number;
  readonly check: number;
}

/** A verification of Ed25519 on a core, at its worst. */
export interface CryptoFigures {
  readonly plan: CryptoPlan;
  /** Of Ed25519 with SHA-512, and of that with SHA-256, HMAC-SHA256 and CRC-32. */
  readonly flashBytes: number;
  readonly allFlashBytes: number;
  readonly scratchBytes: number;
  readonly stackBytes: number;
  readonly ramBytes: number;
  /** The whole verification, every step with an addition; and the longest part that is not split. */
  readonly instructionsMax: number;
  readonly partInstructionsMax: number;
  /** The same by the table of the core; null where a part is too long to be traced. */
  readonly cyclesMax: number | null;
  readonly partCyclesMax: number | null;
  readonly hash: number;
  readonly code: number;
  readonly check: number;
}

/** Cores that are measured; the first is that of the goals. */
export const CRYPTO_PLANS: readonly CryptoPlan[] = [
  { board: "mps2-an386", core: "Cortex-M4", optimize: "size" },
  { board: "mps2-an386", core: "Cortex-M4", optimize: "speed" },
  { board: "mps2-an385", core: "Cortex-M3", optimize: "size" },
  { board: "mps2-an500", core: "Cortex-M7", optimize: "size" },
  { board: "riscv32-virt", core: "RV32IMC", optimize: "speed" },
  { board: "cortex-m0", core: "Cortex-M0", optimize: "size" },
];
/** Bits of the order L. */
export const ED25519_STEPS = 253;
/** A manifest is no longer, with what is signed before it. */
export const MESSAGE_BYTES = 256 + 18;

const LIMITS = { flashBytes: 10 * 1024, ramBytes: 1536 };
/** More than the module's data: its buffers, of which a message takes most. */
const MEMORY_BYTES = 4096;
const KEYS = 4;
const SOME_STEPS = 8;
const TRACED_STEPS = 2;
const TIMEOUT_MS = 120_000;
/** What stands before 32 bytes of a secret key. @see RFC 8410, 7 */
const SECRET_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");
const TOO_LONG_TO_TRACE: readonly BoardName[] = ["cortex-m0"];

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** A message of a manifest's length, signed with a key that follows from a number. */
export function signedMessage(key: number): SignedMessage {
  const secret = createHash("sha256").update(`key ${key}`).digest();
  const privateKey = createPrivateKey({ key: Buffer.concat([SECRET_PREFIX, secret]), format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(-32);
  const message = Buffer.alloc(MESSAGE_BYTES, secret);
  return { publicKey, message, signature: sign(null, message, privateKey) };
}

/** The same with S = 2^252 - 1: it is below L, so nothing is refused early, and every step but the first adds a point. */
export function slowestSignature(signed: SignedMessage): SignedMessage {
  const signature = Buffer.from(signed.signature).fill(0xff, 32);
  signature[63] = 0x0f;
  return { ...signed, signature };
}

/** Build the program. @param hasHashes  with SHA-256, HMAC-SHA256 and CRC-32 */
export function buildCrypto({ board, optimize }: CryptoPlan, hasHashes: boolean): Promise<Firmware> {
  return build(readFileSync(new URL("../../edge-sdk/build/crypto.wasm", import.meta.url)), {
    board,
    cacheFolder: CACHE_FOLDER,
    optimize,
    checks: "none",
    memoryBytes: MEMORY_BYTES,
    memoryPlace: "inside",
    program: {
      sources: ["firmware-crypto.c", "firmware-tally.c", "../conformance/json-line.c"].map(here),
      includes: [here("."), here("../conformance"), BOARD_SUPPORT],
      flags: [...STRICT, `-DWITH_HASHES=${hasHashes ? 1 : 0}`],
    },
  });
}

/** Run it over a signature. @param steps  of the verification, most of them alike. @throws {BenchError} `no-answer` */
export async function countCrypto(firmware: Firmware, signed: SignedMessage, steps: number): Promise<CryptoCounts> {
  const options = { input: inputOf(signed, steps), counting: true, timeoutMs: TIMEOUT_MS };
  const { exitCode, output } = await run(firmware, options);
  if (exitCode !== 0) throw new BenchError("no-answer", { board: firmware.board, exitCode: exitCode ?? "none" });
  const told = JSON.parse(output.toString()) as Record<string, number>;
  const field = (name: string) => told[name] ?? 0;
  return {
    begin: field("begin"),
    stepMax: field("stepMax"),
    end: field("end"),
    isTaken: field("isTaken") === 1,
    isRight: field("isRight") === 1,
    scratchBytes: field("scratchBytes"),
    stackBytes: field("stackBytes"),
    hash: field("hash"),
    code: field("code"),
    check: field("check"),
  };
}

/** Build and measure. @throws {BenchError} `no-answer`, `no-compiler` */
export async function measureCrypto(plan: CryptoPlan): Promise<CryptoFigures> {
  process.stderr.write(`firmware: ${plan.core}, update cryptography, ${flagOf(plan)}\n`);
  const [firmware, withHashes] = await Promise.all([buildCrypto(plan, false), buildCrypto(plan, true)]).catch(
    (error: unknown) => {
      if (!(error instanceof RunnerError) || error.code !== "missing-tool") throw error;
      throw new BenchError("no-compiler", error.facts);
    },
  );
  const counts: CryptoCounts[] = [];
  for (let key = 0; key < KEYS; key++) {
    counts.push(await countCrypto(firmware, slowestSignature(signedMessage(key)), SOME_STEPS));
  }
  const most = (name: "begin" | "stepMax" | "end" | "scratchBytes" | "stackBytes") =>
    Math.max(...counts.map((one) => one[name]));
  const { hash, code, check } = await countCrypto(withHashes, signedMessage(0), 0);
  const cycles = TOO_LONG_TO_TRACE.includes(plan.board) ? null : await boundParts(firmware);
  return {
    plan,
    flashBytes: flashOf(firmware),
    allFlashBytes: flashOf(withHashes),
    scratchBytes: most("scratchBytes"),
    stackBytes: most("stackBytes"),
    ramBytes: most("scratchBytes") + most("stackBytes"),
    instructionsMax: most("begin") + ED25519_STEPS * most("stepMax") + most("end"),
    partInstructionsMax: Math.max(most("begin"), most("stepMax"), most("end")),
    cyclesMax: cycles && cycles.begin + ED25519_STEPS * cycles.step + cycles.end,
    partCyclesMax: cycles && Math.max(cycles.begin, cycles.step, cycles.end),
    hash,
    code,
    check,
  };
}

/** Bound the cycles of begin, a step with an addition, and end; the first piece traced is the calibration. */
async function boundParts(firmware: Firmware): Promise<{ begin: number; step: number; end: number }> {
  const marks = { begins: ["tally_start"], end: "tally_stop" };
  const input = inputOf(slowestSignature(signedMessage(0)), TRACED_STEPS);
  const pieces = await cycleBoundOfRun(firmware, marks, { input, timeoutMs: TIMEOUT_MS });
  const [, begin, , step, end] = pieces.map(({ cycles }) => cycles);
  if (begin === undefined || step === undefined || end === undefined)
    throw new BenchError("no-answer", { board: firmware.board, pieces: pieces.length });
  return { begin, step, end };
}

function inputOf({ publicKey, message, signature }: SignedMessage, steps: number): Buffer {
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32LE(steps, 0);
  numbers.writeUInt32LE(message.length, 4);
  return Buffer.concat([numbers, publicKey, signature, message]);
}

function flashOf({ board, sizes }: Firmware): number {
  const parts = sizes?.parts;
  if (parts === undefined || parts === null) throw new BenchError("no-answer", { board, missing: "linker map" });
  return [parts.module, parts.runtime].reduce(
    (sum, part) => sum + part.codeBytes + part.constantBytes + part.dataBytes,
    0,
  );
}

function flagOf({ optimize }: CryptoPlan): string {
  return optimize === "size" ? "-Os" : "-O2";
}

/** Aimed at on the first core: a verification that a device of the codec's size can hold. */
export function cryptoGoals([first]: readonly CryptoFigures[]): BenchGoal[] {
  const goal = (what: string, measured: number, below: number): BenchGoal => ({
    what: `Cortex-M4: ${what}`,
    measured,
    unit: "B",
    aimedAt: { below },
  });
  return [
    goal("flash of Ed25519 with SHA-512", first?.flashBytes ?? Number.NaN, LIMITS.flashBytes),
    goal("RAM of Ed25519, scratch and stack", first?.ramBytes ?? Number.NaN, LIMITS.ramBytes),
  ];
}

/** Every core. */
export function cryptoTable(measured: readonly CryptoFigures[]): BenchTable {
  return {
    title: `Update cryptography: Ed25519 and hashes, a message of ${MESSAGE_BYTES} B`,
    columns: [
      "core",
      "flash of Ed25519 with SHA-512, B",
      "with SHA-256, HMAC and CRC-32, B",
      "scratch, B",
      "stack, B",
      "verification, instructions, worst",
      "cycles, worst, at most",
      "longest part, instructions",
      "cycles, at most",
      "SHA-256, instructions",
      "HMAC-SHA256",
      "CRC-32",
    ],
    rows: measured.map((one) => [
      `${one.plan.core}, ${flagOf(one.plan)}`,
      one.flashBytes,
      one.allFlashBytes,
      one.scratchBytes,
      one.stackBytes,
      one.instructionsMax,
      one.cyclesMax ?? "not traced",
      one.partInstructionsMax,
      one.partCyclesMax ?? "not traced",
      one.hash,
      one.code,
      one.check,
    ]),
  };
}

/** How the table is made. */
export const CRYPTO_NOTE = `Update cryptography: \`crypto.wasm\` as C, unchecked, memory in the instance. A verification is a begin, ${ED25519_STEPS} steps and an end, between which a device may do something else; the worst is the largest begin and end of ${KEYS} keys, and as many times the largest step. Its S has all bits set, so that every step adds a point. A carry that runs through a whole number, which one in 2^32 does, costs some twenty instructions more. The stack is the most that was in use, with the frames of the program that measures.`;
