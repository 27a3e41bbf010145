import { chooseChannels, type HistoryChannel } from "../../api/history-channels.ts";
import { ApiProblem } from "../../api/problem.ts";
import { parseRange, within } from "../../api/time-range.ts";
import type { History } from "../../history/history.ts";
import type { TimeRange } from "../../history/time-range.ts";
import { CommandError } from "../command-error.ts";

/**
 * The part of a device's past that is to be exported; undefined where there is nothing.
 *
 * @throws {CommandError} `usage` for times that are none, or the wrong way round
 */
export function exportRange(
  history: History,
  device: string,
  { from = "0", to }: { readonly from?: string; readonly to?: string },
): TimeRange | undefined {
  const span = history.span(device);
  return asked(() => within(parseRange(from, to, span, 0), span));
}

/** The channels that are to be exported. @throws {CommandError} `usage` for one that the device does not have */
export function exportChannels(history: History, device: string, names: string | undefined): HistoryChannel[] {
  const birthOf = (epoch: number) => history.birth(device, epoch);
  return asked(() => chooseChannels(history.birth(device), birthOf, names));
}

/** What is wrong with a request is, on a command line, wrong usage. */
function asked<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof ApiProblem)) throw cause;
    throw new CommandError("usage", cause.message, "", { cause });
  }
}
