import { compareBySeverity, compareNames } from "./device-state.ts";
import type { FleetPage, FleetRow, FleetSort, FleetSummary, FleetView } from "./schemas/fleet-schema.ts";

/** How bad a row is by each column; the worst has the largest number. Names and severity are compared otherwise. */
const WORST: Readonly<Record<Exclude<FleetSort, "severity" | "name">, (row: FleetRow) => number | null>> = {
  "last-frame": ({ lastDataUs }) => (lastDataUs === null ? null : -lastDataUs),
  behind: ({ behindMs }) => behindMs,
  saved: ({ ratioIp }) => (ratioIp === null ? null : -ratioIp),
  error: ({ errorShare }) => errorShare,
  ring: ({ ringFill }) => ringFill,
  lost: ({ lostSamples }) => lostSamples,
};

/**
 * The part of the table that a view shows.
 *
 * Ties are in order of name, so that rows never swap; what is not known comes last, in either order.
 */
export function fleetPage(summary: FleetSummary, all: readonly FleetRow[], view: FleetView): FleetPage {
  const search = view.search.toLowerCase();
  const states = view.state?.split(",");
  const found = all.filter(
    ({ id, state }) => id.toLowerCase().includes(search) && (states === undefined || states.includes(state)),
  );
  const sorted = found.sort(comparison(view.sort, view.order === "desc" ? -1 : 1));
  const from = view.page * view.rows;
  return {
    summary,
    matched: found.length,
    page: view.page,
    pages: Math.ceil(found.length / view.rows),
    rows: sorted.slice(from, from + view.rows),
  };
}

function comparison(sort: FleetSort, sign: 1 | -1): (a: FleetRow, b: FleetRow) => number {
  if (sort === "name") return (a, b) => sign * compareNames(a.id, b.id);
  if (sort === "severity") {
    return (a, b) => {
      const isTie = a.state === b.state;
      return isTie ? compareNames(a.id, b.id) : sign * compareBySeverity(a, b);
    };
  }
  const worst = WORST[sort];
  return (a, b) => {
    const [left, right] = [worst(a), worst(b)];
    if (left === right) return compareNames(a.id, b.id);
    if (left === null) return 1;
    if (right === null) return -1;
    return sign * (right - left);
  };
}
