import { useCallback, useContext, useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ApiEvent } from "../../src/api/schemas/event-schema.ts";
import type { FleetRow } from "../../src/api/schemas/fleet-schema.ts";
import { About } from "./about.tsx";
import type { BoardState } from "./board-state.ts";
import { useDeviceFacts } from "./device-facts.ts";
import { eventTimeUs, nextMark } from "./device-marks.ts";
import { EventList } from "./event-list.tsx";
import { LaneBoard } from "./lane-board.ts";
import type { LaneHub } from "./lane-hub.ts";
import { LanesPanel } from "./lanes-panel.tsx";
import { Loading } from "./loading.tsx";
import type { PageAddress } from "./page-address.ts";
import type { PageClock } from "./page-clock.ts";
import { PageContext } from "./page-context.ts";
import { StatusShape } from "./status-shape.tsx";
import { BytesTile, ConfirmedTile, ErrorTile, GapsTile, RingTile, ThroughText } from "./tiles.tsx";
import { isSameSpan } from "./time-span.ts";

interface DevicePageProps {
  readonly device: string;
  readonly address: PageAddress;
  readonly row: FleetRow | undefined;
  readonly events: readonly ApiEvent[];
  readonly hub: LaneHub;
  readonly clock: PageClock;
  /** The node's time as the page shows it: it stands still while the page does, µs. */
  readonly nowUs: number;
  /** Counts how often the stream was lost and opened again: after each, everything is asked for anew. */
  readonly reconnects: number;
  follow(): void;
  /** Follow nothing. */
  rest(): void;
  go(address: PageAddress, isStep: boolean): void;
  toFleet(): void;
}

/** More lanes than this begin folded away. */
const OPEN_LANES = 8;
const SHOWN_EVENTS = 50;
const ADDRESS_AFTER_MS = 150;

/** One device: its lanes, what it costs, what happened to it, who it is. */
export function DevicePage(props: DevicePageProps) {
  const { device: id, address, row, events, hub, clock, nowUs, reconnects, follow, rest, go, toFleet } = props;
  const { zone, isPaused } = useContext(PageContext);
  const facts = useDeviceFacts(id, address.span, isPaused, String(reconnects));
  const { device, traffic, gaps, failure } = facts;
  const [state, setState] = useState<BoardState | undefined>();
  const look = useRef({ zone, offsetUs: 0 });
  look.current = { zone, offsetUs: device?.clockOffsetUs ?? 0 };

  const isThere = device !== undefined;
  const isRefused = failure !== undefined && failure.code !== "unreachable";
  const periodUs = device?.birth.periodUs ?? 0;
  const board = useMemo(() => {
    if (!isThere) return undefined;
    return new LaneBoard({
      device: id,
      periodUs,
      zone: () => look.current.zone,
      nowUs: () => clock.nowUs() + look.current.offsetUs,
      onState: setState,
    });
  }, [id, isThere, periodUs, clock]);
  useEffect(() => {
    if (board === undefined) return;
    const end = hub.listen((update) => {
      if (update.device === id) board.apply(update);
    });
    return () => {
      end();
      board.close();
    };
  }, [board, hub, id]);
  useEffect(() => {
    if (isThere) follow();
    else if (isRefused) rest();
  }, [isThere, isRefused, follow, rest]);
  useEffect(() => {
    if (board !== undefined) board.view.all = device?.history ?? undefined;
  }, [board, device]);

  const current = useRef(address);
  current.current = address;
  // The address says what is looked at when the page opens, and follows it from then on.
  useEffect(() => {
    if (board !== undefined && current.current.span !== undefined) board.view.open(current.current.span);
  }, [board]);
  useEffect(() => {
    if (board === undefined || state === undefined) return;
    const { past, selection } = board.view;
    // What stands still under a selection is not yet what a person wants to look at.
    if (selection !== undefined || isSameSpan(past, current.current.span)) return;
    // While a hand moves, the address waits: a browser takes only so many a second.
    const timer = window.setTimeout(() => go({ ...current.current, span: past }, false), ADDRESS_AFTER_MS);
    return () => window.clearTimeout(timer);
  }, [board, state, go]);

  const own = useMemo(() => events.filter((event) => event.device === id), [events, id]);
  const runs = gaps?.runs ?? [];
  const offsetUs = device?.clockOffsetUs ?? 0;
  const jump = useCallback(
    (direction: -1 | 1): void => {
      if (board === undefined) return;
      const marks = [...own.map((event) => eventTimeUs(event, offsetUs, runs)), ...runs.map(({ fromUs }) => fromUs)];
      const { fromUs, toUs } = board.view.span;
      const next = nextMark(marks, board.view.cursorUs ?? (direction === 1 ? fromUs : toUs), direction);
      if (next !== undefined) board.view.jump(next);
    },
    [board, own, offsetUs, runs],
  );
  const names = device?.channels.map(({ name }) => name) ?? [];
  const wanted = address.channels?.filter((name) => names.includes(name)) ?? [];
  const open = wanted.length > 0 ? wanted : names.slice(0, OPEN_LANES);

  if (device === undefined || board === undefined) {
    return failure === undefined ? (
      <Loading title={id} awaited={id} />
    ) : (
      <main>
        <h1>{id}</h1>
        <section class="panel empty" role="status">
          <p>{failure.text}</p>
          <p class="command">
            <button type="button" onClick={facts.retry}>
              Retry
            </button>
            <button type="button" onClick={toFleet}>
              All devices
            </button>
          </p>
        </section>
      </main>
    );
  }
  return (
    <main class="device-page">
      <div class="device-head">
        <h1>{id}</h1>
        <StatusShape state={row?.state ?? device.state} />
        {row !== undefined && <ThroughText row={row} device={device} nowUs={nowUs} />}
        <ul class="alerts" aria-label="Alerts">
          {(row?.alerts ?? device.alerts).map((alert) => (
            <li key={alert.kind}>{alert.text}</li>
          ))}
        </ul>
      </div>
      {row !== undefined && <ConfirmedTile row={row} device={device} nowUs={nowUs} />}
      <LanesPanel
        board={board}
        state={state}
        device={id}
        channels={device.channels}
        open={open}
        setOpen={(channels) => go({ ...address, channels }, false)}
        compared={address.compared}
        setCompared={(compared) => go({ ...address, compared }, false)}
        isTruthKnown={device.truth !== null}
        jump={jump}
      />
      <BytesTile traffic={traffic} />
      <EventList
        events={own.slice(0, SHOWN_EVENTS)}
        choose={(event) => board.view.jump(eventTimeUs(event, offsetUs, runs))}
      />
      {row !== undefined && (
        <>
          <ErrorTile row={row} device={device} />
          <GapsTile gaps={gaps} periodUs={periodUs} />
          <RingTile row={row} device={device} />
        </>
      )}
      <About device={device} span={address.span} />
    </main>
  );
}
