/** `no-sources`: this installation lacks the firmware; `missing-tool`: a compiler or QEMU is not installed. */
export type FirmwareErrorCode = "no-sources" | "missing-tool";

/** Firmware that cannot be built or started here, and what to do about it. */
export class FirmwareError extends Error {
  override readonly name = "FirmwareError";
  readonly code: FirmwareErrorCode;
  readonly facts: Readonly<Record<string, string>>;

  constructor(code: FirmwareErrorCode, facts: Readonly<Record<string, string>>) {
    super(`firmware: ${describe(code, facts)}`);
    this.code = code;
    this.facts = facts;
  }
}

function describe(
  code: FirmwareErrorCode,
  { firmware, folder, board, tools, install }: FirmwareError["facts"],
): string {
  if (code === "missing-tool") return `the board ${board} needs ${tools}, not installed: ${install}`;
  const remedy = "an npm package has none; clone the repository, and run it from there";
  return `the sources of ${firmware} are not in ${folder}: ${remedy}`;
}
