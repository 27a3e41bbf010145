import { useCallback, useContext, useMemo, useRef } from "preact/hooks";
import { formatAge } from "../../src/api/number-text.ts";
import type { FleetRow } from "../../src/api/schemas/fleet-schema.ts";
import { AlertText, FLEET_COLUMNS } from "./fleet-columns.tsx";
import type { TableAddress } from "./page-address.ts";
import { PageContext } from "./page-context.ts";
import { StatusShape } from "./status-shape.tsx";

interface FleetTableProps {
  readonly rows: readonly FleetRow[];
  readonly nowUs: number;
  readonly table: TableAddress;
  open(device: string): void;
  sort(by: string): void;
}

/** One page of the devices. */
export function FleetTable({ rows, nowUs, table, open, sort }: FleetTableProps) {
  const latest = useRef(open);
  latest.current = open;
  const openRow = useCallback((id: string) => latest.current(id), []);
  return (
    <table class="values fleet">
      <caption class="unseen">Devices</caption>
      <thead>
        <tr>
          <Head title="Status" by="severity" table={table} sort={sort} look="" />
          <Head title="Device" by="name" table={table} sort={sort} look="" />
          {FLEET_COLUMNS.map(({ title, sort: by, from, isNumber }) => (
            <Head
              key={title}
              title={title}
              by={by}
              table={table}
              sort={sort}
              look={`${from} ${isNumber ? "number" : ""}`}
            />
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Row key={row.id} row={row} nowUs={nowUs} open={openRow} />
        ))}
      </tbody>
    </table>
  );
}

interface HeadProps {
  readonly title: string;
  readonly by: string | undefined;
  readonly table: TableAddress;
  readonly look: string;
  sort(by: string): void;
}

function Head({ title, by, table, look, sort }: HeadProps) {
  if (by === undefined) {
    return (
      <th scope="col" class={look}>
        {title}
      </th>
    );
  }
  const isSorted = table.sort === by;
  const direction = table.order === "desc" ? "descending" : "ascending";
  return (
    <th scope="col" class={look} aria-sort={isSorted ? direction : undefined}>
      <button type="button" class="plain" onClick={() => sort(by)}>
        {title}
        <span class="sorted" aria-hidden="true">
          {isSorted ? (table.order === "desc" ? "▴" : "▾") : ""}
        </span>
      </button>
    </th>
  );
}

interface RowProps {
  readonly row: FleetRow;
  readonly nowUs: number;
  open(device: string): void;
}

/** A row is made anew only where something in it is other than before: once a second there are many. */
function Row({ row, nowUs, open }: RowProps) {
  const age = row.lastDataUs === null ? "" : formatAge((nowUs - row.lastDataUs) / 1000);
  const { zone } = useContext(PageContext);
  return useMemo(() => <Cells row={row} nowUs={nowUs} open={open} />, [row, age, zone, open]);
}

function Cells({ row, nowUs, open }: RowProps) {
  const isOld = row.state === "offline" || row.state === "quiet";
  return (
    <tr class={isOld ? "old" : ""}>
      <td>
        <StatusShape state={row.state} />
      </td>
      <th scope="row">
        <a
          class="device"
          href={`?device=${encodeURIComponent(row.id)}`}
          onClick={(event) => {
            if (event.ctrlKey || event.metaKey || event.shiftKey) return;
            event.preventDefault();
            open(row.id);
          }}
        >
          {row.id}
        </a>
        <span class="below-1024">
          <AlertText row={row} />
        </span>
      </th>
      {FLEET_COLUMNS.map(({ title, from, isNumber, cell }) => (
        <td key={title} class={`${from} ${isNumber ? "number" : ""}`}>
          {cell(row, nowUs)}
        </td>
      ))}
    </tr>
  );
}
