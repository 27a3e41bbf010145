import type { ComponentChildren } from "preact";
import { formatErrorShare, formatFill, formatQuantity, formatRatio, UNKNOWN } from "../../src/api/number-text.ts";
import type { FleetRow } from "../../src/api/schemas/fleet-schema.ts";
import { Age } from "./age.tsx";
import { Sparkline } from "./sparkline.tsx";

/** A column of the fleet table, after status and device. */
export interface FleetColumn {
  readonly title: string;
  /** The server's word for it; undefined: it cannot be sorted by. */
  readonly sort: string | undefined;
  /** Narrowest page that shows it. */
  readonly from: "" | "from-640" | "from-1024";
  readonly isNumber: boolean;
  cell(row: FleetRow, nowUs: number): ComponentChildren;
}

const RING_WARN = 0.5;
const RING_BAD = 0.9;

/** Columns from left to right. */
export const FLEET_COLUMNS: readonly FleetColumn[] = [
  {
    title: "Last 5 min",
    sort: undefined,
    from: "from-640",
    isNumber: false,
    cell: (row) => <Sparkline recent={row.recent} />,
  },
  {
    title: "Last frame",
    sort: "last-frame",
    from: "",
    isNumber: true,
    cell: ({ lastDataUs }, nowUs) => (lastDataUs === null ? UNKNOWN : <Age atUs={lastDataUs} nowUs={nowUs} />),
  },
  {
    title: "Behind",
    sort: "behind",
    from: "from-1024",
    isNumber: true,
    cell: ({ behindMs }) => behindText(behindMs),
  },
  {
    title: "Saved (IP)",
    sort: "saved",
    from: "",
    isNumber: true,
    cell: ({ ratioIp }) =>
      ratioIp === null ? UNKNOWN : <span class={lossClass(ratioIp)}>{formatRatio(ratioIp)}</span>,
  },
  {
    title: "Error / eps",
    sort: "error",
    from: "from-640",
    isNumber: true,
    cell: ({ errorShare }) => <span class={(errorShare ?? 0) > 1 ? "bad" : ""}>{errorText(errorShare)}</span>,
  },
  {
    title: "Ring",
    sort: "ring",
    from: "from-640",
    isNumber: true,
    cell: ({ ringFill }) => (
      <span class="ring">
        <RingBar fill={ringFill} /> {formatFill(ringFill)}
      </span>
    ),
  },
  {
    title: "Alert",
    sort: undefined,
    from: "from-1024",
    isNumber: false,
    cell: (row) => <AlertText row={row} />,
  },
];

/** How full a ring is, as a bar. */
export function RingBar({ fill }: { readonly fill: number }) {
  const look = fill >= RING_BAD ? "full" : fill >= RING_WARN ? "filling" : "";
  const share = Math.min(1, Math.max(0, fill));
  return (
    <svg class={`bar ${look}`} viewBox="0 0 56 8" width="56" height="8" aria-hidden="true">
      <rect class="bar-all" x="0.5" y="0.5" width="55" height="7" />
      <rect class="bar-part" x="0" y="0" width={Math.ceil(56 * share)} height="8" />
    </svg>
  );
}

/** The worst alert in one phrase, and how many more there are. */
export function AlertText({ row }: { readonly row: FleetRow }) {
  const [worst, ...more] = row.alerts;
  if (worst === undefined) return null;
  return (
    <span class="alert">
      {worst.text}
      {more.length > 0 && ` +${more.length}`}
    </span>
  );
}

/** The largest error as a part of its bound; where the truth is not known, what is promised. */
export function errorText(errorShare: number | null): string {
  return errorShare === null ? "≤ 1" : formatErrorShare(errorShare);
}

/** How far the last confirmed sample is behind now. */
export function behindText(behindMs: number | null): string {
  return behindMs === null ? UNKNOWN : formatQuantity(Math.max(0, behindMs) / 1000, "s", "up");
}

function lossClass(ratio: number): string {
  return ratio < 1 ? "bad" : "";
}
