import { useContext, useEffect, useRef, useState } from "preact/hooks";
import { formatCount, formatCounted, formatValue, UNKNOWN } from "../../src/api/number-text.ts";
import type { LaneBoard } from "./lane-board.ts";
import { runAt, runText } from "./lane-run.ts";
import type { LaneSource } from "./lane-source.ts";
import { PageContext } from "./page-context.ts";
import { lengthUs } from "./time-span.ts";
import { dateAndTime, isoTime, type TimeZone, timeOfDay } from "./time-text.ts";
import { boundText, unitText } from "./value-text.ts";

interface DataTableProps {
  readonly board: LaneBoard;
  /** Changes when other buckets are on show. */
  readonly shown: string;
  close(): void;
}

const ROWS = 100;

interface BucketRow {
  readonly us: number;
  readonly cells: readonly string[];
}

/** The buckets of the lanes as a table: what the picture shows, in numbers. */
export function DataTable({ board, shown, close }: DataTableProps) {
  const { zone } = useContext(PageContext);
  const [page, setPage] = useState(0);
  const [turn, setTurn] = useState(0);
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => head.current?.focus(), []);
  useEffect(() => setPage(0), [shown]);
  const lanes = board.shown();
  const view = board.view.span;
  const rows = bucketRows(lanes, view.fromUs, view.toUs);
  const pages = Math.max(1, Math.ceil(rows.length / ROWS));
  const decimals = board.bucketUs >= 1_000_000 ? 0 : 3;
  const newestFirst = Math.min(page, pages - 1);
  return (
    <section class="panel data" aria-labelledby="data-title" data-turn={turn}>
      <div class="bar-line">
        <h2 id="data-title" tabIndex={-1} ref={head}>
          Data table
        </h2>
        <span class="note">
          {formatCount(rows.length)} buckets, {dateAndTime(view.fromUs, zone)} to {timeOfDay(view.toUs, zone)}
        </span>
        <button type="button" onClick={() => setTurn(turn + 1)}>
          Update
        </button>
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: who scrolls by keys must be able to get here */}
      <section class="sideways" tabIndex={0} aria-label="Buckets">
        <table class="values">
          <caption class="unseen">Buckets of {formatCounted(lanes.length, "channel")}</caption>
          <thead>
            <tr>
              <th scope="col">Time</th>
              {lanes.map(({ channel }) => (
                <th key={channel.name} scope="col" class="number">
                  {channel.name} {boundText(channel.eps)}
                  {unitText(channel.unit)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(newestFirst * ROWS, (newestFirst + 1) * ROWS).map(({ us, cells }) => (
              <BucketCells key={us} us={us} cells={cells} zone={zone} decimals={decimals} lanes={lanes} />
            ))}
          </tbody>
        </table>
      </section>
      {pages > 1 && (
        <nav class="bar-line" aria-label="Pages of the data table">
          <button type="button" disabled={newestFirst === 0} onClick={() => setPage(newestFirst - 1)}>
            ‹ Earlier
          </button>
          <span>
            {newestFirst + 1} of {pages}
          </span>
          <button type="button" disabled={newestFirst + 1 >= pages} onClick={() => setPage(newestFirst + 1)}>
            Later ›
          </button>
        </nav>
      )}
      {lengthUs(view) > 0 && rows.length === 0 && <p class="note pad">No samples here.</p>}
    </section>
  );
}

interface BucketCellsProps extends BucketRow {
  readonly zone: TimeZone;
  readonly decimals: number;
  readonly lanes: readonly LaneSource[];
}

function BucketCells({ us, cells, zone, decimals, lanes }: BucketCellsProps) {
  return (
    <tr>
      <th scope="row">
        <time dateTime={isoTime(us)} data-us={us}>
          {timeOfDay(us, zone, decimals)}
        </time>
      </th>
      {cells.map((text, c) => (
        <td key={lanes[c]?.channel.name} class="number">
          {text}
        </td>
      ))}
    </tr>
  );
}

/** One row for each bucket that any lane has, in time. */
function bucketRows(lanes: readonly LaneSource[], fromUs: number, toUs: number): BucketRow[] {
  const byTime = new Map<number, string[]>();
  for (const [c, lane] of lanes.entries()) {
    const { columns, channel, runs } = lane;
    const { x, confirmed, bucketS } = columns;
    const widthUs = Math.round(bucketS * 1e6);
    for (let i = 0; i < x.length; i++) {
      const us = Math.floor(((x[i] ?? 0) * 1e6) / widthUs + 1e-3) * widthUs;
      if (us + widthUs <= fromUs || us >= toUs || Number.isNaN(confirmed[i])) continue;
      const cells = byTime.get(us) ?? lanes.map(() => UNKNOWN);
      byTime.set(us, cells);
      const text = formatValue(confirmed[i] ?? Number.NaN, channel.eps);
      const run = runAt(runs, us);
      const known = cells[c];
      const both = known === UNKNOWN || known === text ? text : `${known} … ${text}`;
      cells[c] = run === undefined || both.endsWith(")") ? both : `${both} (${runText(run.kind)})`;
    }
  }
  return [...byTime].sort(([a], [b]) => a - b).map(([us, cells]) => ({ us, cells }));
}
