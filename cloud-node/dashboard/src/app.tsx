import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import type { ApiEvent } from "../../src/api/schemas/event-schema.ts";
import type { FleetPage, FleetRow } from "../../src/api/schemas/fleet-schema.ts";
import { Announcer } from "./announcer.tsx";
import { DevicePage } from "./device-page.tsx";
import { FleetView } from "./fleet-view.tsx";
import { useHeld } from "./held-value.ts";
import { JobsView, type ShownJobs } from "./jobs-view.tsx";
import { KeyList } from "./key-list.tsx";
import { listenToKeys } from "./keyboard.ts";
import { LaneHub } from "./lane-hub.ts";
import { LiveFeed } from "./live-feed.ts";
import { LogInBanner } from "./log-in.tsx";
import { type PageAddress, readAddress, tableQuery, writeAddress } from "./page-address.ts";
import { PageClock } from "./page-clock.ts";
import { PageContext } from "./page-context.ts";
import { PageHeader } from "./page-header.tsx";
import type { Session, SessionFacts } from "./session.ts";
import { StaleBanner } from "./stale-banner.tsx";
import { applyTheme, nextTheme, storedTheme } from "./theme.ts";
import { storedZone, storeZone } from "./zone-choice.ts";

/** Without any message for this long the page says that its values are old. */
const STALE_MS = 10_000;
const MAX_EVENTS = 100;

interface AppProps {
  readonly session: Session;
  readonly facts: SessionFacts;
}

/** The whole page, for whoever may see it. */
export function App({ session, facts }: AppProps) {
  const [address, setAddress] = useState<PageAddress>(() => readAddress(location.search));
  const [fleet, setFleet] = useState<FleetPage | undefined>();
  const [row, setRow] = useState<FleetRow | undefined>();
  const [jobs, setJobs] = useState<ShownJobs | undefined>();
  const [events, setEvents] = useState<readonly ApiEvent[]>([]);
  const [isPaused, setPaused] = useState(false);
  const [theme, setTheme] = useState(storedTheme());
  const [zone, setZone] = useState(storedZone());
  const [silentMs, setSilentMs] = useState(0);
  const [reconnects, setReconnects] = useState(0);
  const [hasKeyList, setKeyList] = useState(false);
  const clock = useMemo(() => new PageClock(), []);
  const hub = useMemo(() => new LaneHub(), []);

  const feed = useMemo(
    () =>
      new LiveFeed({
        fleet: setFleet,
        device: setRow,
        lanes: (update) => hub.push(update),
        jobs: (all, problem) => setJobs({ jobs: all, problem }),
        event: (event) => setEvents((before) => merged(before, event)),
        alive: (nowUs) => clock.hear(nowUs),
        // A browser does not say why: perhaps the session is over.
        lost: () => void session.check(),
        reopened: () => setReconnects((before) => before + 1),
      }),
    [hub, clock, session],
  );
  const hasEnded = facts.state === "ended";
  useEffect(() => feed.hold(hasEnded), [feed, hasEnded]);
  useEffect(() => () => feed.rest(), [feed]);

  const { device, table, isJobs } = address;
  const wish = isJobs
    ? "table=false&jobs=true"
    : device === undefined
      ? tableQuery(table).toString()
      : `table=false&device=${encodeURIComponent(device)}`;
  const follow = useCallback(() => feed.follow(new URLSearchParams(wish)), [feed, wish]);
  const rest = useCallback(() => feed.rest(), [feed]);
  // At once, without waiting to hear who the device is: where there is none, its page says so.
  useEffect(follow, [follow]);

  const go = useCallback((next: PageAddress, isStep: boolean): void => {
    const text = writeAddress(next);
    if (isStep) history.pushState(null, "", text);
    else history.replaceState(null, "", text);
    setAddress(next);
  }, []);
  const toFleet = useCallback(() => go({ ...readAddress(""), table: readAddress("").table }, true), [go]);
  const toJobs = useCallback(() => go(readAddress("?view=jobs"), true), [go]);
  useEffect(() => {
    const onBack = (): void => setAddress(readAddress(location.search));
    window.addEventListener("popstate", onBack);
    return () => window.removeEventListener("popstate", onBack);
  }, []);

  useEffect(() => applyTheme(theme), [theme]);
  useEffect(() => storeZone(zone), [zone]);
  useEffect(() => {
    document.title = `${device ?? (isJobs ? "Jobs" : "Fleet")} · Lockstep`;
    setRow(undefined);
  }, [device, isJobs]);
  useEffect(() => {
    const timer = window.setInterval(() => setSilentMs(clock.silentMs()), 1000);
    return () => window.clearInterval(timer);
  }, [clock]);
  useEffect(() => {
    const actions: Readonly<Record<string, () => void>> = {
      "?": () => setKeyList(true),
      p: () => setPaused((before) => !before),
      t: () => setTheme(nextTheme),
      u: () => setZone((before) => (before === "local" ? "utc" : "local")),
      "g f": toFleet,
      "g j": toJobs,
      "/": () => {
        if (device !== undefined || isJobs) toFleet();
        requestAnimationFrame(() => requestAnimationFrame(() => document.getElementById("search")?.focus()));
      },
      Escape: () => (device !== undefined || isJobs) && toFleet(),
    };
    return listenToKeys((key) => {
      actions[key]?.();
      return key in actions;
    });
  }, [device, isJobs, toFleet, toJobs]);

  const isStale = hasEnded || silentMs > STALE_MS;
  const look = useMemo(() => ({ theme, zone, isPaused, isStale }), [theme, zone, isPaused, isStale]);
  const shown = useHeld({ fleet, row, events, jobs, nowUs: clock.nowUs() }, isPaused);
  return (
    <PageContext.Provider value={look}>
      <div class={`page ${isStale ? "stale" : ""}`}>
        <PageHeader
          device={device}
          isJobs={isJobs}
          nowUs={shown.nowUs}
          toFleet={toFleet}
          toJobs={toJobs}
          togglePause={() => setPaused(!isPaused)}
          toggleTheme={() => setTheme(nextTheme(theme))}
          toggleZone={() => setZone(zone === "local" ? "utc" : "local")}
          showKeys={() => setKeyList(true)}
          logOut={facts.state === "in" ? () => void session.logOut() : undefined}
          visitor={facts.name}
        />
        {hasEnded && <LogInBanner session={session} />}
        {isStale && !hasEnded && (
          <StaleBanner silentMs={silentMs} heardUs={clock.heardUs()} zone={zone} retry={() => feed.retry()} />
        )}
        {isJobs ? (
          <JobsView
            shown={shown.jobs}
            nowUs={shown.nowUs}
            session={facts}
            chosen={address.job}
            choose={(job) => go({ ...address, job }, true)}
          />
        ) : device === undefined ? (
          <FleetView
            fleet={shown.fleet}
            events={shown.events}
            table={table}
            show={(next) => go({ ...address, table: next }, false)}
            open={(id) => go({ ...address, device: id, span: undefined, channels: undefined, compared: [] }, true)}
          />
        ) : (
          <DevicePage
            key={device}
            address={address}
            device={device}
            row={shown.row}
            events={shown.events}
            nowUs={shown.nowUs}
            hub={hub}
            clock={clock}
            reconnects={reconnects}
            follow={follow}
            rest={rest}
            go={go}
            toFleet={toFleet}
          />
        )}
        <Announcer
          fleet={device === undefined && !isJobs ? shown.fleet : undefined}
          row={device === undefined ? undefined : shown.row}
        />
        {hasKeyList && <KeyList close={() => setKeyList(false)} />}
      </div>
    </PageContext.Provider>
  );
}

/** Newest first; an event that is told again after a reconnect is not shown twice. */
function merged(before: readonly ApiEvent[], event: ApiEvent): readonly ApiEvent[] {
  if (before.some(({ id }) => id === event.id)) return before;
  return [event, ...before].sort((a, b) => b.id - a.id).slice(0, MAX_EVENTS);
}
