/**
 * Why a module was stopped; the place is the number that C programs know it by (wasm-rt.h, wasm_rt_trap_t, and
 * for the last two interpreter.h).
 */
export const TRAP_REASONS = [
  "none",
  "out-of-bounds",
  "integer-overflow",
  "divide-by-zero",
  "invalid-conversion",
  "unreachable",
  "call-indirect",
  "not-lent",
  "stack-exhausted",
  "gas-exhausted",
] as const;

/** One of TRAP_REASONS. */
export type TrapReason = (typeof TRAP_REASONS)[number];

/** What V8 says, in the words above. */
const V8_MESSAGES: readonly (readonly [RegExp, TrapReason])[] = [
  [/(divide|remainder) by zero/, "divide-by-zero"],
  [/divide result unrepresentable/, "integer-overflow"],
  [/table index|signature|null function/, "call-indirect"],
  [/out of bounds/, "out-of-bounds"],
];

/** The reason in the message of a `WebAssembly.RuntimeError` of V8. */
export function trapReasonOf(message: string): TrapReason {
  return V8_MESSAGES.find(([pattern]) => pattern.test(message))?.[1] ?? "unreachable";
}

/** Exit codes that a board gives to a program that was stopped: BOARD_EXIT_ in boards/board.h. */
const EXIT_TRAP = 100;
const EXIT_FAULT = 120;
const EXIT_STACK = 121;

/** Why a program was stopped: by its module, by the processor, or because its stack ran out. */
export type StopReason = Exclude<TrapReason, "none"> | "fault" | "stack-overflow";

/** The reason that an exit code stands for, null for every other. */
export function stopReasonOf(exitCode: number | null): StopReason | null {
  if (exitCode === EXIT_FAULT) return "fault";
  if (exitCode === EXIT_STACK) return "stack-overflow";
  const reason = TRAP_REASONS[(exitCode ?? 0) - EXIT_TRAP];
  return reason === undefined || reason === "none" ? null : reason;
}
