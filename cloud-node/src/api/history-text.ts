import type { RowBlock } from "../history/row-blocks.ts";
import type { Run } from "../history/run.ts";
import type { TimeRange } from "../history/time-range.ts";
import { columnName, type HistoryChannel } from "./history-channels.ts";

/** Text collected before it is handed on. */
const CHUNK_CHARS = 32_768;
const STATUS_INVALID = 1;
const STATUS_SATURATED = 2;

/** Rows as they are read, and at last what could not be. */
type RowBlocks = AsyncGenerator<RowBlock, readonly Run[]>;

/** What a stream of rows says before them. */
export interface RowsHead {
  readonly id: string;
  readonly range: TimeRange;
  readonly channels: readonly HistoryChannel[];
  readonly runs: readonly (Omit<Run, "channel"> & { readonly channel: string | null })[];
}

/**
 * Rows as CSV: `time_us`, `epoch`, one column for each channel, `saturated`, which names the channels whose value is
 * clipped, and `damaged_to_us`. A cell without a reading is empty; what is lost has no row. What could not be read is known
 * at the end alone: it has a row for each range, with its start, its end under `damaged_to_us`, and nothing else, so that
 * whoever knows nothing of it sees readings that are missing, and no reader of CSV stumbles.
 */
export async function* csvOf(head: RowsHead, blocks: RowBlocks): AsyncGenerator<string> {
  const { channels } = head;
  const names = channels.map(({ name }) => columnName(name));
  yield `${["time_us", "epoch", ...names, "saturated", "damaged_to_us"].map(quote).join(",")}\n`;
  const damage = yield* inChunks(blocks, channels, "", (timeUs, epoch, cells, clipped) => {
    return `${timeUs},${epoch},${cells},${quote(clipped.join(" "))},\n`;
  });
  const nothing = ",".repeat(channels.length + 2);
  for (const { fromUs, toUs } of damage) yield `${Math.floor(fromUs)}${nothing},${Math.ceil(toUs)}\n`;
}

/**
 * Rows as one JSON value a line: first what there is, then `[time, epoch, values…]` with null for no reading, and with
 * `{"saturated": […]}` behind them where a value is clipped; last `{"rows": N}`, without which the answer was cut off, and
 * in it `damaged`, where there is any: what could not be read is known only then.
 */
export async function* ndjsonOf(head: RowsHead, blocks: RowBlocks): AsyncGenerator<string> {
  const channels = head.channels.map(({ name, unit, eps }) => ({ name, unit, eps }));
  yield `${JSON.stringify({ id: head.id, range: head.range, channels, runs: head.runs })}\n`;
  let rows = 0;
  const runs = yield* inChunks(blocks, head.channels, "null", (timeUs, epoch, cells, clipped) => {
    rows += 1;
    const flags = clipped.length === 0 ? "" : `,${JSON.stringify({ saturated: clipped })}`;
    return `[${timeUs},${epoch},${cells}${flags}]\n`;
  });
  const damaged = runs.map(({ fromUs, toUs }) => ({ fromUs, toUs }));
  yield `${JSON.stringify(damaged.length === 0 ? { rows } : { rows, damaged })}\n`;
}

/** A name as CSV carries it. */
export function quote(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @returns what could not be read */
async function* inChunks(
  blocks: RowBlocks,
  channels: readonly HistoryChannel[],
  nothing: string,
  line: (timeUs: number, epoch: number, cells: string, clipped: readonly string[]) => string,
): AsyncGenerator<string, readonly Run[]> {
  let text = "";
  try {
    let step = await blocks.next();
    for (; !step.done; step = await blocks.next()) {
      const block = step.value;
      const columns = channels.map((channel) => channel.columnIn(block));
      for (let row = 0; row < block.timesUs.length; row++) {
        const cells = columns.map((column) => cellOf(block, row, column, nothing));
        const clipped = channels.filter((_, c) => cells[c]?.isClipped === true).map(({ name }) => name);
        text += line(block.timesUs[row] ?? 0, block.epoch, cells.map((cell) => cell.text).join(","), clipped);
        if (text.length < CHUNK_CHARS) continue;
        yield text;
        text = "";
      }
    }
    if (text !== "") yield text;
    return step.value;
  } finally {
    // A reader that stops early stops the decoding.
    await blocks.return([]);
  }
}

/** A value as text, "" or "null" where there is none; and whether it is clipped. */
function cellOf(block: RowBlock, row: number, column: number | undefined, nothing: string) {
  if (column === undefined) return { text: nothing, isClipped: false };
  const at = row * block.channels + column;
  const status = block.statuses[at];
  if (status === STATUS_INVALID) return { text: nothing, isClipped: false };
  return { text: String(block.values[at] ?? nothing), isClipped: status === STATUS_SATURATED };
}
