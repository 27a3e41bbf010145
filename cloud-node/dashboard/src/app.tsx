import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ApiEvent } from "../../src/api/schemas/event-schema.ts";
import type { FleetPage } from "../../src/api/schemas/fleet-schema.ts";
import { EventList } from "./event-list.tsx";
import { FleetTable } from "./fleet-table.tsx";
import { LaneHub } from "./lane-hub.ts";
import { Lanes } from "./lanes.tsx";
import { LiveFeed } from "./live-feed.ts";
import { SummaryLine } from "./summary-line.tsx";
import { applyTheme, nextTheme, storedTheme } from "./theme.ts";

/** Without any message for this long the page says that its values are old. */
const STALE_MS = 10_000;
const MAX_EVENTS = 12;

/** The whole page. */
export function App() {
  const [fleet, setFleet] = useState<FleetPage | undefined>();
  const [chosen, setChosen] = useState(new URL(location.href).searchParams.get("device") ?? undefined);
  const [events, setEvents] = useState<readonly ApiEvent[]>([]);
  const [isPaused, setPaused] = useState(false);
  const [theme, setTheme] = useState(storedTheme());
  const [staleMs, setStaleMs] = useState(0);
  const heardMs = useRef(performance.now());
  const hub = useMemo(() => new LaneHub(), []);
  const clock = useRef({ deviceUs: 0, atMs: 0 });
  const isHeld = useRef(false);
  isHeld.current = isPaused;

  const feed = useMemo(
    () =>
      new LiveFeed({
        fleet: (page) => !isHeld.current && setFleet(page),
        lanes: (update) => hub.push(update),
        event: (event) => setEvents((before) => [event, ...before].slice(0, MAX_EVENTS)),
        alive: () => {
          heardMs.current = performance.now();
        },
      }),
    [hub],
  );
  const device = chosen ?? fleet?.rows.map(({ id }) => id).sort()[0];
  // Until a person chooses, the first device by name is shown.
  useEffect(() => feed.follow(device), [feed, device]);
  useEffect(() => applyTheme(theme), [theme]);
  useEffect(() => {
    const timer = window.setInterval(() => setStaleMs(performance.now() - heardMs.current), 1000);
    return () => window.clearInterval(timer);
  }, []);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLInputElement) return;
      if (event.key === "p") setPaused((before) => !before);
      if (event.key === "t") setTheme((before) => nextTheme(before));
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);

  if (fleet !== undefined && fleet.summary.nowUs !== clock.current.deviceUs) {
    clock.current = { deviceUs: fleet.summary.nowUs, atMs: performance.now() };
  }
  const nowS = useCallback(
    () =>
      (clock.current.deviceUs / 1e6 + (performance.now() - clock.current.atMs) / 1e3) * Number(clock.current.atMs > 0),
    [],
  );
  const choose = (id: string): void => {
    const url = new URL(location.href);
    url.searchParams.set("device", id);
    history.pushState(null, "", url);
    setChosen(id);
  };
  const isStale = staleMs > STALE_MS;
  return (
    <main class={`page ${isStale ? "stale" : ""}`}>
      <header class="top">
        <h1>Lockstep</h1>
        <button type="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          {isPaused ? "Paused" : isStale ? "Stale" : "Live"}
        </button>
        <button type="button" onClick={() => setTheme(nextTheme(theme))}>
          Theme: {theme}
        </button>
        <span class="offset">times are local, {offsetText()}</span>
      </header>
      {isStale && (
        <p class="banner" role="status">
          No connection for {Math.floor(staleMs / 1000)} s. Values are from{" "}
          {new Date(Date.now() - staleMs).toLocaleTimeString("en-GB")}.
        </p>
      )}
      {fleet !== undefined && <SummaryLine fleet={fleet.summary} />}
      {fleet !== undefined && fleet.rows.length === 0 && <Empty mqttUrl={fleet.summary.mqttUrl} />}
      {fleet !== undefined && fleet.rows.length > 0 && <FleetTable fleet={fleet} chosen={device} choose={choose} />}
      {device !== undefined && (
        <Lanes key={device} hub={hub} device={device} isPaused={isPaused || isStale} theme={theme} nowS={nowS} />
      )}
      <EventList events={events} />
    </main>
  );
}

function Empty({ mqttUrl }: { readonly mqttUrl: string | null }) {
  return (
    <section class="panel empty">
      No device has reported yet.
      {mqttUrl !== null && (
        <>
          {" "}
          Start one: <code>lockstep sim rotor --to {reachable(mqttUrl)}</code>
        </>
      )}
    </section>
  );
}

/** An address that only the node's own machine knows is, from here, the host of this page. */
function reachable(mqttUrl: string): string {
  return mqttUrl.replace(/\/\/(127\.0\.0\.1|0\.0\.0\.0|localhost|::1?|\[::1?\])(?=:\d+$)/, `//${location.hostname}`);
}

function offsetText(): string {
  const minutes = -new Date().getTimezoneOffset();
  const sign = minutes < 0 ? "−" : "+";
  const pad = (part: number): string => String(Math.floor(part)).padStart(2, "0");
  return `UTC${sign}${pad(Math.abs(minutes) / 60)}:${pad(Math.abs(minutes) % 60)}`;
}
