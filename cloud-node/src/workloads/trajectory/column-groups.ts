import { cellOf } from "./box.ts";
import { boundOf, type EpsRules } from "./eps-rules.ts";
import type { TrajectoryFrame } from "./frame.ts";
import type { BoundMode } from "./group-codec.ts";
import { TrajectoryError } from "./trajectory-error.ts";

/** Columns that are coded together, and how. */
export interface ColumnGroup {
  /** One, or the components of a vector in the order of x, y, z. */
  readonly columns: readonly string[];
  /** 0 … 2 for each of them; none for a scalar. */
  readonly axes: readonly number[];
  readonly mode: BoundMode;
  /** Bound in the columns' own unit; 0 for `exact`. */
  readonly eps: number;
  /** Digits after the point with which a text keeps the bound: what rounding to them takes is kept free. */
  readonly decimals: number;
  /** What positions repeat in: the box, 1 per axis, or nothing. */
  readonly period: "box" | "unit" | "none";
}

type Family = "force" | "velocity" | "position" | "other";

/** Half a unit of the last digit takes at most this part of eps. */
const DECIMAL_SHARE = 1e-3;
const MAX_DECIMALS = 17;
const VECTOR = /^(x|y|z)(u|s|su)?$|^(.*)([xyz])$/;

/** How to group the columns of a dump, and with which bounds: forces first, then velocities, then positions. */
export function groupColumns(frame: TrajectoryFrame, rules: EpsRules, mode: "max" | "rms"): ColumnGroup[] {
  const names = frame.columns.filter(({ name }) => name !== "id").map(({ name }) => name);
  const vectors = new Map<string, string[]>();
  for (const name of names) {
    const key = vectorOf(name);
    const columns = vectors.get(key) ?? [];
    columns.push(name);
    vectors.set(key, columns);
  }
  const groups = [...vectors].map(([key, columns]) => {
    const axes = columns.map((name) => axisOf(name)).filter((axis) => axis >= 0);
    const sorted = columns.toSorted((a, b) => axisOf(a) - axisOf(b));
    return groupOf(frame, key, sorted, axes.toSorted(), rules, mode);
  });
  const rank = { force: 0, velocity: 1, position: 2, other: 3 };
  return groups.toSorted((a, b) => rank[familyOf(a)] - rank[familyOf(b)]);
}

/**
 * Refuse bounds that a dump has no columns for: a name that is mistyped would leave its column at the default.
 *
 * @throws {TrajectoryError} `bad-eps`
 */
export function checkRules(frame: TrajectoryFrame, rules: EpsRules): void {
  const columns = frame.columns.filter(({ name }) => name !== "id");
  const keys = new Set(columns.map(({ name }) => vectorOf(name)));
  for (const name of rules.keys()) {
    const same = columns.filter((column) => vectorOf(column.name) === vectorOf(name)).map((column) => column.name);
    const isUnwrapped = /^xs?$/.test(name) && keys.has(`${name}u`);
    if (keys.has(name) || isUnwrapped || same.toSorted((a, b) => axisOf(a) - axisOf(b))[0] === name) {
      const [column] = columns.filter((other) => vectorOf(other.name) === name);
      if (column?.kind !== "text") continue;
      throw new TrajectoryError("bad-eps", `${name} holds words, which are kept as they are`, "give it no bound");
    }
    if (name === "id") throw new TrajectoryError("bad-eps", "ids are kept as they are", "give id no bound");
    if (same.includes(name)) {
      const others = same.filter((other) => other !== name).join(" ");
      const remedy = `give ${vectorOf(name)}=BOUND for all of them`;
      throw new TrajectoryError("bad-eps", `${name} has its bound in common with ${others}`, remedy);
    }
    const remedy = `the dump has ${columns.map((column) => column.name).join(" ")}`;
    throw new TrajectoryError("bad-eps", `there is no column ${name} to have a bound`, remedy);
  }
}

/** What a group's values are to mechanics: velocities are foreseen from forces, positions from both. */
export function familyOf({ columns, mode }: Pick<ColumnGroup, "columns" | "mode">): Family {
  const [first = ""] = columns;
  if (mode === "exact" || columns.length === 1) return "other";
  if (/^f[xyz]$/.test(first)) return "force";
  if (/^v[xyz]$/.test(first)) return "velocity";
  return /^[xyz](u|s|su)?$/.test(first) ? "position" : "other";
}

/** Numbers of the groups that a group is predicted from, the nearer first; they come before it. */
export function partnersOf(groups: readonly ColumnGroup[], index: number): number[] {
  const group = groups[index];
  if (group === undefined) return [];
  const before = groups.slice(0, index).map((other, i) => ({ family: familyOf(other), i, axes: other.axes }));
  const last = (family: Family) =>
    before.findLast((other) => other.family === family && String(other.axes) === String(group.axes))?.i;
  const wanted: readonly Family[] =
    familyOf(group) === "position"
      ? ["position", "velocity", "force"]
      : familyOf(group) === "velocity"
        ? ["force"]
        : [];
  return wanted
    .map(last)
    .filter((i) => i !== undefined)
    .slice(0, 2);
}

function groupOf(
  frame: TrajectoryFrame,
  key: string,
  columns: readonly string[],
  axes: readonly number[],
  rules: EpsRules,
  mode: "max" | "rms",
): ColumnGroup {
  const values = columns.map((name) => frame.columns.find((column) => column.name === name));
  const numbers = values.flatMap((column) => (column === undefined || column.kind === "text" ? [] : [column.values]));
  const isNumeric = numbers.length === columns.length;
  const eps = isNumeric ? boundOf(rules, key, columns, numbers, typicalSpacing(frame, key)) : undefined;
  const exact = { columns, axes, mode: "exact", eps: 0, decimals: 0, period: "none" } as const;
  if (eps === undefined) return exact;
  const period = key === "x" ? "box" : key === "xs" ? "unit" : "none";
  return { columns, axes, mode, eps, decimals: decimalsFor(eps), period };
}

function decimalsFor(eps: number): number {
  return Math.min(MAX_DECIMALS, Math.max(0, Math.ceil(Math.log10(0.5 / (DECIMAL_SHARE * eps)))));
}

/** `x`, `xu`, `xs`, `xsu`; `v`, `f`, `omega` …; the name itself for a scalar. */
function vectorOf(name: string): string {
  const [, position, style = "", prefix, axis] = VECTOR.exec(name) ?? [];
  if (position !== undefined) return `x${style}`;
  return axis !== undefined && prefix !== undefined && isVectorPrefix(prefix) ? prefix : name;
}

function isVectorPrefix(prefix: string): boolean {
  return /^(v|f|i|mu|omega|angmom|tq)$/.test(prefix);
}

function axisOf(name: string): number {
  if (vectorOf(name) === name && !/^[xyz](u|s|su)?$/.test(name)) return -1;
  const letter = /^[xyz]/.test(name) ? name[0] : name.at(-1);
  return "xyz".indexOf(letter ?? "?");
}

/** Mean distance of atoms, or its part of the box for scaled positions; undefined for what is no position. */
function typicalSpacing(frame: TrajectoryFrame, key: string): number | undefined {
  if (!/^x(u|s|su)?$/.test(key)) return undefined;
  const perAtom = Math.cbrt(1 / Math.max(1, frame.atoms));
  if (key.startsWith("xs")) return perAtom;
  const [a, b, c] = cellOf(frame.box).edges;
  const cross = [b[1] * c[2] - b[2] * c[1], b[2] * c[0] - b[0] * c[2], b[0] * c[1] - b[1] * c[0]];
  const volume = Math.abs(a[0] * (cross[0] ?? 0) + a[1] * (cross[1] ?? 0) + a[2] * (cross[2] ?? 0));
  return volume > 0 && Number.isFinite(volume) ? Math.cbrt(volume) * perAtom : 1;
}
