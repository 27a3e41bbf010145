import { useEffect, useRef, useState } from "preact/hooks";
import { formatCount, formatCounted } from "../../src/api/number-text.ts";
import type { ApiEvent } from "../../src/api/schemas/event-schema.ts";
import type { FleetPage, FleetRow } from "../../src/api/schemas/fleet-schema.ts";
import { EmptyFleet } from "./empty-fleet.tsx";
import { EventList } from "./event-list.tsx";
import { FleetTable } from "./fleet-table.tsx";
import { RowHold } from "./held-rows.ts";
import { useKeysBetween } from "./link-keys.ts";
import { Loading } from "./loading.tsx";
import type { TableAddress } from "./page-address.ts";
import { SummaryLine } from "./summary-line.tsx";

interface FleetViewProps {
  readonly fleet: FleetPage | undefined;
  readonly events: readonly ApiEvent[];
  readonly table: TableAddress;
  show(table: TableAddress): void;
  open(device: string): void;
}

const SEARCH_AFTER_MS = 200;
const SHOWN_EVENTS = 12;
const STATES = [
  ["", "all"],
  ["fault,offline", "need action"],
  ["catching-up", "catching up"],
  ["quiet", "quiet"],
  ["live", "live"],
] as const;

/** All devices: what needs somebody comes first. */
export function FleetView({ fleet, events, table, show, open }: FleetViewProps) {
  const [isPointed, setPointed] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const hold = useRef(new RowHold<FleetRow>());
  const [, redraw] = useState(0);
  useKeysBetween(".fleet a.device");
  // Another part of the table is asked for: it comes in its own order.
  useEffect(() => {
    hold.current = new RowHold();
  }, [table]);

  const sort = (by: string): void => {
    const isAgain = table.sort === by;
    show({ ...table, sort: by, order: isAgain && table.order === "asc" ? "desc" : "asc", page: 0 });
  };
  if (fleet === undefined) return <Loading title="Fleet" awaited="the fleet" />;
  const { summary, matched, pages } = fleet;
  const { rows, moved } = hold.current.show(fleet.rows, isPointed || isFocused);
  const sortAgain = (): void => {
    hold.current.release(fleet.rows);
    redraw((count) => count + 1);
  };
  return (
    <main>
      <h1 class="unseen">Fleet</h1>
      <SummaryLine fleet={summary} />
      {summary.alerts.map((alert) => (
        <p key={alert.kind} class="banner bad-edge">
          {alert.text}
        </p>
      ))}
      {summary.devices === 0 ? (
        <EmptyFleet mqttUrl={summary.mqttUrl} />
      ) : (
        <section
          class="panel"
          onPointerEnter={() => setPointed(true)}
          onPointerLeave={() => setPointed(false)}
          onFocusIn={({ target }) => setFocused(target instanceof HTMLElement && target.closest("tbody") !== null)}
          onFocusOut={() => setFocused(false)}
        >
          <div class="bar-line">
            <Search text={table.search} find={(search) => show({ ...table, search, page: 0 })} />
            <label>
              <span class="unseen">States shown</span>
              <select
                value={table.state}
                onChange={({ currentTarget }) => show({ ...table, state: currentTarget.value, page: 0 })}
              >
                {STATES.map(([value, text]) => (
                  <option key={value} value={value}>
                    {text}
                  </option>
                ))}
              </select>
            </label>
            <span class="note">
              {matched === summary.devices
                ? ""
                : `${formatCount(matched)} of ${formatCounted(summary.devices, "device")}`}
            </span>
            {moved > 0 && (
              <button type="button" onClick={sortAgain}>
                {formatCounted(moved, "row")} moved: sort again
              </button>
            )}
          </div>
          <FleetTable rows={rows} nowUs={summary.nowUs} table={table} open={open} sort={sort} />
          {matched === 0 && <p class="note pad">No device matches.</p>}
          {pages > 1 && (
            <nav class="bar-line" aria-label="Pages of the table">
              <button
                type="button"
                disabled={table.page === 0}
                onClick={() => show({ ...table, page: table.page - 1 })}
              >
                ‹ Previous
              </button>
              <span>
                {table.page + 1} of {pages}
              </span>
              <button
                type="button"
                disabled={table.page + 1 >= pages}
                onClick={() => show({ ...table, page: table.page + 1 })}
              >
                Next ›
              </button>
            </nav>
          )}
        </section>
      )}
      <EventList events={events.slice(0, SHOWN_EVENTS)} choose={undefined} />
    </main>
  );
}

function Search({ text, find }: { readonly text: string; find(search: string): void }) {
  const timer = useRef(0);
  return (
    <label class="search">
      <span class="unseen">Search devices</span>
      <input
        id="search"
        type="search"
        placeholder="Search devices"
        maxLength={64}
        autoComplete="off"
        spellcheck={false}
        defaultValue={text}
        aria-keyshortcuts="/"
        onInput={({ currentTarget }) => {
          window.clearTimeout(timer.current);
          const { value } = currentTarget;
          timer.current = window.setTimeout(() => find(value), SEARCH_AFTER_MS);
        }}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
    </label>
  );
}
