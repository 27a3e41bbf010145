import { TelemetryError } from "./telemetry-error.ts";

/** What a person asked for: one bound for all channels, or one per name; absolute, or as a part of the range. */
export interface EpsSpec {
  readonly kind: "absolute" | "relative";
  /** Bound for channels that are not named; undefined: every channel must be named. */
  readonly fallback: number | undefined;
  readonly byName: ReadonlyMap<string, number>;
}

/**
 * Read "0.05", "ax=0.05,ay=0.1" or "ax=0.01,*=0.05".
 *
 * @throws {TelemetryError} `bad-eps` for anything else, a negative number, or a name given twice
 */
export function parseEpsSpec(text: string, kind: EpsSpec["kind"]): EpsSpec {
  const byName = new Map<string, number>();
  let fallback: number | undefined;
  for (const part of text.split(",")) {
    const separator = part.lastIndexOf("=");
    const name = separator === -1 ? "*" : part.slice(0, separator).trim();
    const bound = parseBound(part.slice(separator + 1), part);
    if (name !== "*") {
      if (byName.has(name)) throw bad(`channel "${name}" has two bounds in "${text}"`);
      byName.set(name, bound);
    } else {
      if (fallback !== undefined)
        throw bad(`"${text}" has two bounds for all channels: write name=bound, or one number`);
      fallback = bound;
    }
  }
  return { kind, fallback, byName };
}

/**
 * The bound of every channel.
 *
 * @param channels  names and value ranges, shape (C); a range is used for relative bounds only
 * @returns eps per channel in the channel's own unit, shape (C), ≥ 0
 * @throws {TelemetryError} `bad-eps` for a name that is no channel, or a channel without a bound
 */
export function resolveEps(
  spec: EpsSpec,
  channels: readonly { readonly name: string; readonly min: number; readonly max: number }[],
): number[] {
  const names = channels.map((channel) => channel.name);
  for (const name of spec.byName.keys()) {
    if (!names.includes(name)) throw bad(`no channel "${name}": there are ${names.join(", ")}`);
  }
  return channels.map(({ name, min, max }) => {
    const bound = spec.byName.get(name) ?? spec.fallback;
    if (bound === undefined) throw bad(`channel "${name}" has no bound: add ${name}=BOUND, or *=BOUND for the rest`);
    return spec.kind === "absolute" ? bound : bound * Math.max(0, max - min);
  });
}

function parseBound(text: string, part: string): number {
  const bound = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(bound) || bound < 0)
    throw bad(`"${part.trim()}" is not a bound: write a number ≥ 0, or name=number`);
  return bound;
}

function bad(problem: string): TelemetryError {
  return new TelemetryError("bad-eps", { problem });
}
