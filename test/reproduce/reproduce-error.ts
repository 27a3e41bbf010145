export type ReproduceErrorCode = "bad-figures" | "bad-options" | "bad-page" | "busy" | "no-cell" | "no-checkout";

/** What keeps figures from being reproduced, or held against what is written. */
export class ReproduceError extends Error {
  override readonly name = "ReproduceError";
  readonly code: ReproduceErrorCode;
  readonly facts: Readonly<Record<string, string | number>>;

  constructor(code: ReproduceErrorCode, facts: Readonly<Record<string, string | number>>) {
    super(
      `reproduce: ${code.replaceAll("-", " ")}: ${Object.entries(facts)
        .map((fact) => fact.join(" "))
        .join(", ")}`,
    );
    this.code = code;
    this.facts = facts;
  }
}
