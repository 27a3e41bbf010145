import { useContext, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { listenToGestures } from "./board-gestures.ts";
import { pressOnBoard } from "./board-keys.ts";
import { type BoardState, type EmptyRange, emptyText } from "./board-state.ts";
import { ChannelChoice } from "./channel-choice.tsx";
import { comparable } from "./compared-channels.ts";
import { placeCursor } from "./cursor-marks.ts";
import { DataTable } from "./data-table.tsx";
import { areKeysOn } from "./keyboard.ts";
import { ComparedLane, ErrorLane, Lane } from "./lane.tsx";
import type { LaneBoard } from "./lane-board.ts";
import { AXIS_PX } from "./lane-plot.ts";
import { Overview } from "./overview.tsx";
import { PageContext } from "./page-context.ts";
import { onTokensChange } from "./theme.ts";
import { lengthUs } from "./time-span.ts";
import { type TimeZone, timeOfDay } from "./time-text.ts";
import type { ValueChannel } from "./value-text.ts";
import { ViewBar } from "./view-bar.tsx";

interface LanesPanelProps {
  readonly board: LaneBoard;
  readonly state: BoardState | undefined;
  readonly device: string;
  readonly channels: readonly ValueChannel[];
  /** Names of the lanes that are open. */
  readonly open: readonly string[];
  setOpen(names: readonly string[]): void;
  /** Names of channels over each other; fewer than two: none. */
  readonly compared: readonly string[];
  setCompared(names: readonly string[]): void;
  /** Whether somebody knows what the sensor really measured. */
  readonly isTruthKnown: boolean;
  jump(direction: -1 | 1): void;
}

/** The lanes of a device: one for each open channel, one time, one cursor. */
export function LanesPanel(props: LanesPanelProps) {
  const { board, state, device, channels, open, setOpen, compared, setCompared, isTruthKnown, jump } = props;
  const { isPaused, isStale, theme, zone } = useContext(PageContext);
  const [hasTable, setTable] = useState(false);
  const [hasError, setError] = useState(true);
  const [hasTruth, setTruth] = useState(false);
  const stack = useRef<HTMLDivElement>(null);
  const cursor = useRef<HTMLDivElement>(null);
  const selection = useRef<HTMLDivElement>(null);
  const shown = useMemo(() => channels.filter(({ name }) => open.includes(name)), [channels, open]);
  const overlaid = useMemo(() => comparable(channels, compared), [channels, compared]);

  useEffect(() => {
    board.isPaused = isPaused || isStale;
  }, [board, isPaused, isStale]);
  useEffect(() => {
    board.hasTruth = hasTruth && isTruthKnown;
  }, [board, hasTruth, isTruthKnown]);
  useEffect(() => board.restyle(), [board, theme, zone]);
  useEffect(() => {
    const element = stack.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      board.setWidth(element.clientWidth);
      // Where it was, a narrower page would end before it.
      placeCursor(board, cursor.current, selection.current);
    });
    observer.observe(element);
    const endTokens = onTokensChange(() => board.restyle());
    const endGestures = listenToGestures(element, board);
    const endMarks = board.onMarks(() => placeCursor(board, cursor.current, selection.current));
    return () => {
      observer.disconnect();
      endTokens();
      endGestures();
      endMarks();
    };
  }, [board]);

  const toggleError = (): void => setError(!hasError);
  const toggleTable = (): void => {
    if (hasTable) cursor.current?.focus();
    setTable(!hasTable);
  };
  const onKey = (event: KeyboardEvent): void => {
    const isArrow = event.key.startsWith("Arrow") || ["Home", "End", "PageUp", "PageDown"].includes(event.key);
    if (!areKeysOn() && !isArrow) return;
    if (pressOnBoard(event, board, { jump, toggleTable, toggleError })) {
      event.preventDefault();
      event.stopPropagation();
    }
  };
  const [first] = shown;
  return (
    <section class="panel lanes-panel" aria-label="Channels">
      <ViewBar board={board} state={state} isStale={isStale} hasTable={hasTable} jump={jump} toggleTable={toggleTable}>
        {isTruthKnown && (
          <span class="group">
            <button type="button" aria-pressed={hasError} aria-keyshortcuts="e" onClick={toggleError}>
              Error
            </button>
            <button type="button" aria-pressed={hasTruth} onClick={() => setTruth(!hasTruth)}>
              Truth
            </button>
          </span>
        )}
      </ViewBar>
      <div
        class={`lanes ${state?.isLoading === true || state?.failure !== undefined ? "old-picture" : ""}`}
        ref={stack}
      >
        <div
          ref={cursor}
          class="cursor-line"
          role="slider"
          tabIndex={0}
          aria-label="Time cursor"
          aria-orientation="horizontal"
          aria-valuenow={state === undefined ? 0 : undefined}
          onKeyDown={onKey}
          onFocus={() => placeCursor(board, cursor.current, selection.current)}
        />
        <div ref={selection} class="selection" hidden />
        {isTruthKnown && hasError && <ErrorLane board={board} />}
        {overlaid.length > 1 && <ComparedLane board={board} channels={overlaid} />}
        {shown.map((channel) => (
          <Lane key={channel.name} board={board} channel={channel} />
        ))}
      </div>
      {state?.failure !== undefined && (
        <p class="banner" role="status">
          <span>{state.failure.text}</span>
          <button type="button" onClick={() => void board.past.ask()}>
            Retry
          </button>
        </p>
      )}
      {state?.emptied !== undefined && <EmptyBanner board={board} state={state} emptied={state.emptied} zone={zone} />}
      {state?.heldUs !== undefined && <p class="note pad">No samples since {timeOfDay(state.heldUs, zone)}.</p>}
      {first !== undefined && state !== undefined && (
        <Overview board={board} device={device} channel={first.name} view={state.view} />
      )}
      <p class="legend" style={{ paddingLeft: AXIS_PX }}>
        Line and band: confirmed, ± eps. Dashed after the upright line: expected, without a bound. Dashed frame:
        missing, asked for again. Red hatch: lost or no reading. Yellow hatch: clipped.
        {isTruthKnown && hasTruth && " Dots: the truth."}
        {isTruthKnown && hasError && " Error: of all channels, reconstruction − truth, as a part of eps."}
      </p>
      {channels.length > 1 && (
        <ChannelChoice
          channels={channels}
          open={open}
          setOpen={setOpen}
          compared={overlaid.map(({ name }) => name)}
          setCompared={setCompared}
        />
      )}
      {hasTable && state !== undefined && (
        <DataTable board={board} shown={`${state.view.fromUs} ${state.isLoading}`} close={toggleTable} />
      )}
    </section>
  );
}

interface EmptyBannerProps {
  readonly board: LaneBoard;
  readonly state: BoardState;
  readonly emptied: EmptyRange;
  readonly zone: TimeZone;
}

/** Nothing is here: why, and where there is something. */
function EmptyBanner({ board, state, emptied, zone }: EmptyBannerProps) {
  const { view, newerUs } = state;
  const look = (at: number): void => {
    const half = lengthUs(board.view.span) / 2;
    board.view.look({ fromUs: Math.round(at - half), toUs: Math.round(at + half) });
  };
  const { beforeUs = null, afterUs = null } = emptied.nearest ?? {};
  return (
    <p class="banner" role="status">
      <span>{emptyText(view, emptied, view.toUs + newerUs, zone)}</span>
      <button type="button" disabled={beforeUs === null} onClick={() => beforeUs !== null && look(beforeUs)}>
        Nearest before
      </button>
      <button type="button" disabled={afterUs === null} onClick={() => afterUs !== null && look(afterUs)}>
        Nearest after
      </button>
    </p>
  );
}
