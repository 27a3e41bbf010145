/**
 * `no-sources`: this installation lacks the firmware; `missing-tool`: a compiler or QEMU is not installed; `path-too-long`:
 * of the socket of its line.
 */
export type FirmwareErrorCode = "no-sources" | "missing-tool" | "path-too-long";

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

function describe(code: FirmwareErrorCode, facts: FirmwareError["facts"]): string {
  switch (code) {
    case "no-sources":
      return `the sources of ${facts.firmware} are not in ${facts.folder}: an npm package has none; clone the repository, and run it from there`;
    case "missing-tool":
      return `the board ${facts.board} needs ${facts.tools}, not installed: ${facts.install}`;
    case "path-too-long":
      return `${facts.path} is over ${facts.most} bytes, too long for a socket; set TMPDIR to a shorter folder`;
  }
}
