import { haveSameAtoms, type OrderedFrame, orderFrame } from "./atom-order.ts";
import type { ColumnBound } from "./container-reader.ts";
import type { Column, TrajectoryFrame } from "./frame.ts";
import type { BoundMode } from "./group-codec.ts";

/** How near a column came to its source, over all frames. */
export interface ColumnComparison {
  readonly column: string;
  readonly mode: BoundMode;
  /** The largest of all frames; 0: to be as it was. */
  readonly eps: number;
  readonly values: number;
  /** In the column's unit. */
  readonly maxError: number;
  /** Null for a column that is to be as it was. */
  readonly maxErrorOverEps: number | null;
  readonly rmsErrorOverEps: number | null;
  /** Values that are not what was promised, and where the first of them is. */
  readonly broken: number;
  readonly firstBroken: { readonly frame: number; readonly row: number; readonly id: number | null } | null;
}

/** Problems that are told; more are counted. */
const MOST_PROBLEMS = 20;

interface Tally {
  readonly column: string;
  readonly group: string;
  readonly mode: BoundMode;
  eps: number;
  values: number;
  maxError: number;
  maxShare: number;
  squares: number;
  broken: number;
  firstBroken: ColumnComparison["firstBroken"];
}

/** Compares frames with their source, value by value. */
export class FrameComparison {
  readonly #tallies = new Map<string, Tally>();
  readonly #problems: string[] = [];
  #problemCount = 0;
  #frames = 0;

  /** Frames that were compared. */
  get frames(): number {
    return this.#frames;
  }

  /** What differs beside values, at most twenty lines of it. */
  get problems(): readonly string[] {
    const more = this.#problemCount - this.#problems.length;
    return more === 0 ? this.#problems : [...this.#problems, `and ${more} more`];
  }

  /** Whether everything is as promised so far. */
  get holds(): boolean {
    const tallies = [...this.#tallies.values()];
    return this.#problemCount === 0 && tallies.every(({ broken }) => broken === 0) && this.looseMeans.length === 0;
  }

  /** Groups whose root mean square is to be under half the bound, and is not. */
  get looseMeans(): readonly string[] {
    const groups = new Map<string, { squares: number; values: number }>();
    for (const { group, mode, squares, values } of this.#tallies.values()) {
      if (mode !== "rms") continue;
      const sum = groups.get(group) ?? { squares: 0, values: 0 };
      groups.set(group, { squares: sum.squares + squares, values: sum.values + values });
    }
    const isLoose = ({ squares, values }: { squares: number; values: number }) =>
      values > 0 && !(squares < 0.25 * values);
    return [...groups].filter(([, sum]) => isLoose(sum)).map(([group]) => group);
  }

  /** One for each column, or more where its mode changed on the way. */
  get columns(): readonly ColumnComparison[] {
    return [...this.#tallies.values()].map((tally) => {
      const { column, mode, eps, values, maxError, maxShare, squares, broken, firstBroken } = tally;
      const rms = Math.sqrt(squares / Math.max(1, values));
      const shares =
        mode === "exact"
          ? { maxErrorOverEps: null, rmsErrorOverEps: null }
          : { maxErrorOverEps: maxShare, rmsErrorOverEps: rms };
      return { column, mode, eps, values, maxError, ...shares, broken, firstBroken };
    });
  }

  /** Something else that is not as it should be. */
  addProblem(problem: string): void {
    this.#problemCount += 1;
    if (this.#problems.length < MOST_PROBLEMS) this.#problems.push(problem);
  }

  /** The next frame: rows are found by their ids, where there is one of each. */
  add(source: TrajectoryFrame, copy: TrajectoryFrame, bounds: ReadonlyMap<string, ColumnBound>): void {
    const frame = this.#frames;
    this.#frames += 1;
    if (source.step !== copy.step) {
      this.addProblem(`frame ${frame}: step ${copy.step}, and the source has ${source.step}`);
      return;
    }
    if (!isSameHead(source, copy)) this.addProblem(`frame ${frame}: another time, unit style or box`);
    const [from, to] = [orderFrame(source), orderFrame(copy)];
    if (!haveSameAtoms(from, to)) {
      this.addProblem(`frame ${frame}: ${copy.atoms} atoms that are not the source's ${source.atoms}`);
      return;
    }
    for (const [name, column] of from.columns) {
      const other = to.columns.get(name);
      if (other === undefined) this.addProblem(`frame ${frame}: column ${name} is missing`);
      else if (name !== "id" || from.ids === undefined) this.#compare(frame, column, other, to, bounds.get(name));
    }
  }

  #compare(frame: number, source: Column, copy: Column, { ids }: OrderedFrame, bound: ColumnBound | undefined): void {
    const { group = [source.name], mode = "exact", eps = 0 } = bound ?? {};
    const tally = this.#tallyOf(source.name, mode, group.join(" "));
    tally.eps = Math.max(tally.eps, eps);
    const broken = (row: number) => {
      tally.broken += 1;
      tally.firstBroken ??= { frame, row, id: ids?.[row] ?? null };
    };
    if (source.kind === "text" || copy.kind === "text") {
      const [from, to] = [wordsOf(source), wordsOf(copy)];
      for (const [row, word] of from.entries()) if (word !== to[row]) broken(row);
      tally.values += from.length;
      return;
    }
    const { values } = source;
    for (let row = 0; row < values.length; row++) {
      const [value = Number.NaN, found = Number.NaN] = [values[row], copy.values[row]];
      if (Object.is(value, found) || (eps > 0 && value === found)) continue;
      const error = Math.abs(value - found);
      if (!(error <= eps) || eps === 0) broken(row);
      const share = eps > 0 ? error / eps : 0;
      // A value that came or went has no finite error.
      if (!(error <= tally.maxError)) tally.maxError = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
      if (!(share <= tally.maxShare)) tally.maxShare = Number.isNaN(share) ? Number.POSITIVE_INFINITY : share;
      tally.squares += share * share;
    }
    tally.values += values.length;
  }

  #tallyOf(column: string, mode: BoundMode, group: string): Tally {
    const key = `${column} ${mode} ${group}`;
    const known = this.#tallies.get(key);
    if (known !== undefined) return known;
    const zeros = { eps: 0, values: 0, maxError: 0, maxShare: 0, squares: 0, broken: 0 };
    const tally: Tally = { column, group, mode, ...zeros, firstBroken: null };
    this.#tallies.set(key, tally);
    return tally;
  }
}

function wordsOf(column: Column): string[] {
  if (column.kind !== "text") return Array.from(column.values, String);
  return Array.from(column.codes, (code) => column.words[code] ?? "");
}

function isSameHead(a: TrajectoryFrame, b: TrajectoryFrame): boolean {
  const isSameBox =
    a.box.shape === b.box.shape &&
    String(a.box.boundary) === String(b.box.boundary) &&
    a.box.bounds.every((bound, i) => bound === b.box.bounds[i]);
  return isSameBox && a.time === b.time && a.units === b.units;
}
