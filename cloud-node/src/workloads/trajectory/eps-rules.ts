import { TrajectoryError } from "./trajectory-error.ts";

/** A bound: in the column's unit, or as part of the rms of its values in the first frame that is not empty. */
export type EpsRule = { readonly absolute: number } | { readonly rms: number };

/** Bounds by column (`vx`, `c_pe`) or by vector (`x`, `xu`, `xs`, `xsu`, `v`, `f`, …): a column's own comes first. */
export type EpsRules = ReadonlyMap<string, EpsRule>;

/** Positions: part of the mean distance of atoms. Velocities and forces: part of their rms. Others are kept exactly. */
const POSITION_SHARE = 1e-3;
const MOTION_SHARE = 1e-2;

/**
 * Read `x=1e-3,v=1e-2,f=1%`: numbers in the column's unit, or percentages of its rms.
 *
 * @throws {TrajectoryError} `bad-eps`
 */
export function parseEpsRules(text: string): EpsRules {
  const rules = new Map<string, EpsRule>();
  for (const part of text.split(",")) {
    const [, name, number, percent] = /^([^=\s]+)=([^%\s]+)(%)?$/.exec(part.trim()) ?? [];
    const value = Number(number);
    if (name === undefined || number === undefined || !(value > 0) || !Number.isFinite(value)) {
      throw new TrajectoryError("bad-eps", `"${part}" is no bound`, "give them like x=1e-3,v=1e-2,f=1%, all above 0");
    }
    rules.set(name, percent === undefined ? { absolute: value } : { rms: value / 100 });
  }
  return rules;
}

/**
 * The bound of a group of columns.
 *
 * @param key  name of the vector, or of the column
 * @param spacing  mean distance of atoms in the unit of the columns, for positions
 * @returns undefined for columns that are kept exactly: also what has nothing but zeros for a relative bound
 */
export function boundOf(
  rules: EpsRules,
  key: string,
  columns: readonly string[],
  values: readonly Float64Array[],
  spacing: number | undefined,
): number | undefined {
  const [first = key] = columns;
  const rule = rules.get(first) ?? rules.get(key) ?? (/^xs?u$/.test(key) ? rules.get(key.slice(0, -1)) : undefined);
  if (rule !== undefined) return "absolute" in rule ? rule.absolute : shareOfRms(rule.rms, values);
  if (spacing !== undefined) return POSITION_SHARE * spacing;
  return key === "v" || key === "f" ? shareOfRms(MOTION_SHARE, values) : undefined;
}

/** Of the rms of finite values; undefined where there is nothing but zeros. */
function shareOfRms(share: number, values: readonly Float64Array[]): number | undefined {
  let [squares, count] = [0, 0];
  for (const column of values) {
    for (const value of column) {
      if (!Number.isFinite(value)) continue;
      squares += value * value;
      count += 1;
    }
  }
  const bound = share * Math.sqrt(squares / Math.max(1, count));
  return bound > 0 && Number.isFinite(bound) ? bound : undefined;
}
