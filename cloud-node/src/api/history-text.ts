import type { RowBlock, Run, TimeRange } from "../history.ts";
import type { HistoryChannel } from "./history-channels.ts";

/** Text collected before it is handed on. */
const CHUNK_CHARS = 32_768;
const STATUS_INVALID = 1;
const STATUS_SATURATED = 2;

/** What a stream of rows says before them. */
export interface RowsHead {
  readonly id: string;
  readonly range: TimeRange;
  readonly channels: readonly HistoryChannel[];
  readonly runs: readonly (Omit<Run, "channel"> & { readonly channel: string | null })[];
}

/**
 * Rows as CSV: `time_us`, `epoch`, one column for each channel, and `saturated`, which names the channels whose value is
 * clipped. A cell without a reading is empty; what is lost has no row.
 */
export async function* csvOf(head: RowsHead, blocks: AsyncIterable<RowBlock>): AsyncGenerator<string> {
  const { channels } = head;
  yield `${["time_us", "epoch", ...channels.map(({ name }) => name), "saturated"].map(quote).join(",")}\n`;
  yield* inChunks(blocks, (block, row) => {
    const cells = channels.map((channel) => {
      const { value, status } = cellOf(block, row, channel);
      return status === STATUS_INVALID || value === undefined ? "" : channel.round(value);
    });
    const clipped = channels.filter((channel) => cellOf(block, row, channel).status === STATUS_SATURATED);
    const names = clipped.map(({ name }) => name).join(" ");
    return `${block.timesUs[row]},${block.epoch},${cells.join(",")},${names === "" ? "" : quote(names)}\n`;
  });
}

/**
 * Rows as one JSON value a line: first what there is, then `[time, epoch, values…]` with null for no reading, and with
 * `{"saturated": […]}` behind them where a value is clipped; last `{"rows": N}`, without which the answer was cut off.
 */
export async function* ndjsonOf(head: RowsHead, blocks: AsyncIterable<RowBlock>): AsyncGenerator<string> {
  const channels = head.channels.map(({ name, unit, eps }) => ({ name, unit, eps }));
  yield `${JSON.stringify({ id: head.id, range: head.range, channels, runs: head.runs })}\n`;
  let rows = 0;
  yield* inChunks(blocks, (block, row) => {
    rows += 1;
    const values = head.channels.map((channel) => {
      const { value, status } = cellOf(block, row, channel);
      return status === STATUS_INVALID || value === undefined ? "null" : channel.round(value);
    });
    const clipped = head.channels.filter((channel) => cellOf(block, row, channel).status === STATUS_SATURATED);
    const flags = clipped.length === 0 ? "" : `,${JSON.stringify({ saturated: clipped.map(({ name }) => name) })}`;
    return `[${block.timesUs[row]},${block.epoch},${values.join(",")}${flags}]\n`;
  });
  yield `${JSON.stringify({ rows })}\n`;
}

/** A name as CSV carries it. */
export function quote(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

async function* inChunks(
  blocks: AsyncIterable<RowBlock>,
  line: (block: RowBlock, row: number) => string,
): AsyncGenerator<string> {
  let text = "";
  for await (const block of blocks) {
    for (let row = 0; row < block.timesUs.length; row++) {
      text += line(block, row);
      if (text.length < CHUNK_CHARS) continue;
      yield text;
      text = "";
    }
  }
  if (text !== "") yield text;
}

/** A boot may have had fewer channels than the newest one has. */
function cellOf(block: RowBlock, row: number, { index }: HistoryChannel): { value?: number; status?: number } {
  if (index >= block.channels) return {};
  const at = row * block.channels + index;
  return { value: block.values[at] ?? 0, status: block.statuses[at] ?? 0 };
}
