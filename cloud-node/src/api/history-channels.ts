import { channelScale } from "@lockstep/protocol";
import type { TwinView } from "../reconstructor/twin-view.ts";
import { ApiProblem } from "./problem.ts";
import { rounderOf } from "./value-digits.ts";

/** A channel that was asked for. */
export interface HistoryChannel {
  /** In the device's birth. */
  readonly index: number;
  readonly name: string;
  readonly unit: string;
  readonly eps: number;
  /** To a tenth of eps. */
  readonly round: (value: number) => number;
}

/**
 * The channels of a device that a request names.
 *
 * @param names  with commas between them; undefined: all
 * @throws {ApiProblem} `unknown-channel`
 */
export function chooseChannels({ id, birth }: TwinView, names: string | undefined): HistoryChannel[] {
  const all = birth.channels.map((channel, index) => {
    const { eps } = channelScale(channel);
    return { index, name: channel.name, unit: channel.unit, eps, round: rounderOf(eps) };
  });
  if (names === undefined) return all;
  return names.split(",").map((name) => {
    const found = all.find((channel) => channel.name === name);
    if (found !== undefined) return found;
    const known = all.map((channel) => channel.name).join(", ");
    throw new ApiProblem("unknown-channel", `${id} has no channel "${name}"; it has ${known}`, { channel: name });
  });
}
