export type TelemetryErrorCode =
  | "not-a-container"
  | "unknown-version"
  | "unknown-model"
  | "bad-header"
  | "truncated"
  | "bad-checksum"
  | "bad-block"
  | "bad-digest"
  | "trailing-bytes"
  | "bad-input"
  | "input-changed"
  | "bad-eps"
  | "eps-too-fine"
  | "out-of-range"
  | "float32-loss"
  | "outside-bound";

type Facts = Readonly<Record<string, string | number>>;

/** A recording or a container that cannot be taken as it is; `facts` say where and why. */
export class TelemetryError extends Error {
  override readonly name = "TelemetryError";
  readonly code: TelemetryErrorCode;
  readonly facts: Facts;

  constructor(code: TelemetryErrorCode, facts: Facts, options?: ErrorOptions) {
    super(`telemetry: ${describe(code, facts)}`, options);
    this.code = code;
    this.facts = facts;
  }
}

function describe(code: TelemetryErrorCode, facts: Facts): string {
  const { file, block, offset, lastSample, need, have } = facts;
  const place = `block ${block} at byte ${offset}`;
  const kept = lastSample === -1 ? "nothing before it is good" : `the last good sample is ${lastSample}`;
  switch (code) {
    case "not-a-container":
      if (facts.have !== undefined)
        return `${file} is empty or too short to be a container: it has ${facts.have} bytes`;
      return `${file} is not a telemetry container: it does not start with its eight magic bytes`;
    case "unknown-version":
      return `${file} has container version ${have}, and this program reads version ${need}`;
    case "unknown-model":
      return `${file} was written with codec model ${have}, which is not among this program's: use the release that wrote it`;
    case "bad-header":
      return `the header of ${file} is damaged: ${facts.problem}`;
    case "truncated":
      if (facts.part === "end") {
        return `${file} ends inside its end record at byte ${offset}: need ${need} bytes, have ${have}; ${allSamples(lastSample)} there`;
      }
      return `${file} ends inside ${place}: need ${need} bytes, have ${have}; ${kept}`;
    case "bad-checksum":
      return `${file} is damaged in ${place}: checksum ${have}, not ${need}; ${kept}`;
    case "bad-block":
      return `${file} is damaged in ${place}: ${facts.problem}; ${kept}`;
    case "bad-digest":
      return `${file} does not add up: its ${facts.what} is ${have}, and its trailer says ${need}; ${kept}`;
    case "trailing-bytes":
      return `${file} goes on after its end at byte ${offset}; ${allSamples(lastSample)} good`;
    case "bad-input":
      return `${file}${rowOf(facts)}: ${facts.problem}`;
    case "input-changed":
      return `${file} changed while it was read: ${facts.problem}`;
    case "bad-eps":
      return String(facts.problem);
    case "eps-too-fine":
      return `channel ${facts.channel} cannot keep eps ${facts.eps}: ${facts.problem}`;
    case "out-of-range":
      return `channel ${facts.channel} holds ${facts.value}, beyond the limit of ${facts.limit}: scale it, or pick --columns without it`;
    case "float32-loss":
      return `channel ${facts.channel}, sample ${facts.sample}: float32 would lose ${facts.loss}, and eps ${facts.eps} leaves ${facts.left}: give --format csv`;
    case "outside-bound":
      return `channel ${facts.channel}, sample ${facts.sample}: error ${facts.error} is over eps ${facts.eps}`;
  }
}

function rowOf({ row }: Facts): string {
  if (row === undefined) return "";
  return row === 0 ? ", header line" : `, row ${row}`;
}

function allSamples(lastSample: string | number | undefined): string {
  return lastSample === 0 ? "its one sample is" : `all ${Number(lastSample) + 1} samples are`;
}
