import type { ContainerReader } from "./container-reader.ts";
import type { BoundMode } from "./group-codec.ts";

/** What columns that are coded together take. */
export interface ColumnAccount {
  readonly columns: readonly string[];
  readonly mode: BoundMode;
  /** The least and the most that chunks have; 0 for values that are kept as they are. */
  readonly eps: readonly [least: number, most: number];
  readonly values: number;
  readonly bytes: number;
  readonly bitsPerValue: number;
}

/** Where the bytes of a container are. */
export interface ContainerAccount {
  readonly frames: number;
  readonly chunks: number;
  /** The fewest and the most of a frame; 0 and 0 without frames. */
  readonly atoms: readonly [least: number, most: number];
  /** Of the first and the last frame, as text: they have 64 bits; null without frames. */
  readonly steps: readonly [first: string, last: string] | null;
  readonly units: string | null;
  readonly columns: readonly string[];
  readonly groups: readonly ColumnAccount[];
  /** Ids, order of rows, steps, times, boxes, turns through the box, values kept bit for bit: the chunks' heads. */
  readonly headBytes: number;
}

/**
 * Add up what chunks say of themselves; nothing is decoded.
 *
 * @throws {TrajectoryError} `bad-chunk`
 */
export async function accountOf(reader: ContainerReader): Promise<ContainerAccount> {
  const groups = new Map<string, Omit<ColumnAccount, "bitsPerValue">>();
  const columns = new Set<string>();
  let [chunks, headBytes, least, most] = [0, 0, Number.POSITIVE_INFINITY, 0];
  let first: number | bigint | undefined;
  let last: number | bigint | undefined;
  let units: string | null = null;
  for await (const { head, bytes } of reader.heads()) {
    chunks += 1;
    headBytes += bytes - head.blocks.reduce((sum, block) => sum + block.bytes, 0);
    least = Math.min(least, head.atoms);
    most = Math.max(most, head.atoms);
    first ??= head.steps[0];
    last = head.steps.at(-1);
    units ??= head.units;
    for (const name of head.columns) columns.add(name);
    for (const [i, group] of head.groups.entries()) {
      const key = `${group.columns.join(" ")} ${group.mode}`;
      const before = groups.get(key) ?? { ...group, eps: [group.eps, group.eps] as const, values: 0, bytes: 0 };
      groups.set(key, {
        columns: group.columns,
        mode: group.mode,
        eps: [Math.min(before.eps[0], group.eps), Math.max(before.eps[1], group.eps)],
        values: before.values + group.columns.length * head.atoms * head.steps.length,
        bytes: before.bytes + (head.blocks[i]?.bytes ?? 0),
      });
    }
  }
  return {
    ...{ frames: reader.frames, chunks, units, headBytes, columns: [...columns] },
    atoms: chunks === 0 ? [0, 0] : [least, most],
    steps: first === undefined || last === undefined ? null : [String(first), String(last)],
    groups: [...groups.values()].map((group) => {
      return { ...group, bitsPerValue: (8 * group.bytes) / Math.max(1, group.values) };
    }),
  };
}
