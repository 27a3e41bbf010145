import {
  formatAge,
  formatErrorShare,
  formatFill,
  formatQuantity,
  formatRatio,
  UNKNOWN,
} from "../../src/api/number-text.ts";
import type { FleetPage, FleetRow } from "../../src/api/schemas/fleet-schema.ts";
import { StatusShape } from "./status-shape.tsx";

interface FleetTableProps {
  readonly fleet: FleetPage;
  readonly chosen: string | undefined;
  choose(device: string): void;
}

/** Every device, worst first. */
export function FleetTable({ fleet, chosen, choose }: FleetTableProps) {
  return (
    <section class="panel">
      <table class="values">
        <caption>Devices</caption>
        <thead>
          <tr>
            <th scope="col">Status</th>
            <th scope="col">Device</th>
            <th scope="col" class="number">
              Last frame
            </th>
            <th scope="col" class="number from-1024">
              Behind
            </th>
            <th scope="col" class="number">
              Saved (IP)
            </th>
            <th scope="col" class="number from-640">
              Error / eps
            </th>
            <th scope="col" class="number from-640">
              Ring
            </th>
            <th scope="col" class="number from-640">
              Lost
            </th>
          </tr>
        </thead>
        <tbody>
          {fleet.rows.map((row) => (
            <Row key={row.id} row={row} nowUs={fleet.summary.nowUs} isChosen={row.id === chosen} choose={choose} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface RowProps {
  readonly row: FleetRow;
  readonly nowUs: number;
  readonly isChosen: boolean;
  choose(device: string): void;
}

function Row({ row, nowUs, isChosen, choose }: RowProps) {
  const isOld = row.state === "offline" || row.state === "quiet";
  const classes = [isChosen ? "chosen" : "", isOld ? "old" : ""].filter((name) => name !== "").join(" ");
  return (
    <tr class={classes} aria-current={isChosen}>
      <td>
        <StatusShape state={row.state} />
      </td>
      <th scope="row">
        <a
          href={`?device=${encodeURIComponent(row.id)}`}
          onClick={(event) => {
            event.preventDefault();
            choose(row.id);
          }}
        >
          {row.id}
        </a>
      </th>
      <td class="number">{row.lastDataUs === null ? UNKNOWN : formatAge((nowUs - row.lastDataUs) / 1000)}</td>
      <td class="number from-1024">
        {row.behindMs === null ? UNKNOWN : formatQuantity(Math.max(0, row.behindMs) / 1000, "s", "up")}
      </td>
      <td class="number">{row.ratioIp === null ? UNKNOWN : formatRatio(row.ratioIp)}</td>
      <td class={`number from-640 ${(row.errorShare ?? 0) > 1 ? "bad" : ""}`}>
        {row.errorShare === null ? "≤ 1" : formatErrorShare(row.errorShare)}
      </td>
      <td class="number from-640">{formatFill(row.ringFill)}</td>
      <td class={`number from-640 ${row.lostSamples > 0 ? "bad" : ""}`}>{row.lostSamples}</td>
    </tr>
  );
}
