import { useContext } from "preact/hooks";
import { PageContext } from "./page-context.ts";
import { zoneText } from "./time-text.ts";

interface PageHeaderProps {
  readonly device: string | undefined;
  readonly isJobs: boolean;
  readonly nowUs: number;
  toFleet(): void;
  toJobs(): void;
  togglePause(): void;
  toggleTheme(): void;
  toggleZone(): void;
  showKeys(): void;
  /** undefined: nobody is logged in. */
  readonly logOut: (() => void) | undefined;
  /** Whose token it is. */
  readonly visitor: string | null;
}

/** Where one is, and what holds for all of the page. */
export function PageHeader(props: PageHeaderProps) {
  const { theme, zone, isPaused, isStale } = useContext(PageContext);
  const { device, isJobs, nowUs, toFleet, toJobs, togglePause, toggleTheme, toggleZone, showKeys } = props;
  const { logOut, visitor } = props;
  return (
    <header class="top">
      <nav aria-label="Page">
        <a
          class="brand"
          href="/"
          aria-current={device === undefined && !isJobs ? "page" : undefined}
          onClick={(event) => {
            if (event.ctrlKey || event.metaKey || event.shiftKey) return;
            event.preventDefault();
            toFleet();
          }}
        >
          Lockstep
        </a>
        {device !== undefined && <span class="crumb"> / {device}</span>}{" "}
        <a
          class="to-jobs"
          href="/?view=jobs"
          aria-current={isJobs ? "page" : undefined}
          onClick={(event) => {
            if (event.ctrlKey || event.metaKey || event.shiftKey) return;
            event.preventDefault();
            toJobs();
          }}
        >
          Jobs
        </a>
      </nav>
      <div class="tools">
        <button type="button" aria-pressed={isPaused} aria-keyshortcuts="p" onClick={togglePause}>
          {isPaused ? "Paused" : isStale ? "Stale" : "Live"}
        </button>
        <button type="button" aria-keyshortcuts="u" onClick={toggleZone}>
          <span class="unseen">Times: </span>
          {zone === "utc" ? "UTC" : `Local, ${zoneText(zone, nowUs)}`}
        </button>
        <button type="button" aria-keyshortcuts="t" onClick={toggleTheme}>
          <span class="unseen">Theme: </span>
          {theme === "system" ? "System" : theme === "dark" ? "Dark" : "Light"}
        </button>
        <button type="button" aria-label="Keys" aria-keyshortcuts="?" onClick={showKeys}>
          ?
        </button>
        {logOut !== undefined && (
          <button type="button" onClick={logOut}>
            Log out <span class="who">{visitor}</span>
          </button>
        )}
      </div>
    </header>
  );
}
