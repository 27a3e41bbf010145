import { type BirthFrame, channelScale } from "@lockstep/protocol";
import type { RowBlock } from "../history/row-blocks.ts";
import { ApiProblem } from "./problem.ts";

/** A channel that was asked for. */
export interface HistoryChannel {
  /** In the device's newest birth. */
  readonly index: number;
  readonly name: string;
  readonly unit: string;
  readonly eps: number;
  /** Its column in a block: another boot may have had other channels. Undefined where it had none of this name. */
  columnIn(block: RowBlock): number | undefined;
}

/** The birth of an epoch of a device; undefined for one that is not known. */
export type BirthOf = (epoch: number) => BirthFrame | undefined;

/** Names that tables of rows need for themselves. */
const RESERVED: ReadonlySet<string> = new Set(["time_us", "epoch", "saturated", "damaged_to_us"]);

/** What a channel is called at the head of a column. */
export function columnName(name: string): string {
  return RESERVED.has(name) ? `${name}_` : name;
}

/**
 * The channels of a device that a request names.
 *
 * @param birth  the device's newest
 * @param names  with commas between them; undefined: all
 * @throws {ApiProblem} `unknown-channel`
 */
export function chooseChannels(birth: BirthFrame, birthOf: BirthOf, names?: string): HistoryChannel[] {
  const columns = new Map<number, ReadonlyMap<string, number>>();
  const columnsOf = (epoch: number): ReadonlyMap<string, number> => {
    const known = columns.get(epoch);
    if (known !== undefined) return known;
    const found = new Map((birthOf(epoch) ?? birth).channels.map(({ name }, index) => [name, index]));
    columns.set(epoch, found);
    return found;
  };
  const all = birth.channels.map((channel, index): HistoryChannel => {
    const { name, unit } = channel;
    const { eps } = channelScale(channel);
    return { index, name, unit, eps, columnIn: (block) => within(columnsOf(block.epoch).get(name), block.channels) };
  });
  if (names === undefined) return all;
  return names.split(",").map((name) => {
    const found = all.find((channel) => channel.name === name);
    if (found !== undefined) return found;
    const known = all.map((channel) => channel.name).join(", ");
    throw new ApiProblem("unknown-channel", `${birth.device} has no channel "${name}"; it has ${known}`, {
      channel: name,
    });
  });
}

function within(column: number | undefined, columns: number): number | undefined {
  return column === undefined || column >= columns ? undefined : column;
}
