export type BenchErrorCode =
  | "no-capture"
  | "not-live"
  | "no-answer"
  | "no-compiler"
  | "no-peer"
  | "not-the-same"
  | "stopped"
  | "unknown-name";

/** A benchmark that could not measure what it is for. */
export class BenchError extends Error {
  override readonly name = "BenchError";
  readonly code: BenchErrorCode;
  readonly facts: Readonly<Record<string, string | number>>;

  constructor(code: BenchErrorCode, facts: Readonly<Record<string, string | number>>) {
    super(
      `bench: ${code.replaceAll("-", " ")}: ${Object.entries(facts)
        .map((fact) => fact.join(" "))
        .join(", ")}`,
    );
    this.code = code;
    this.facts = facts;
  }
}
