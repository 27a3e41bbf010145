import type { ComponentChildren } from "preact";
import type { BoardState } from "./board-state.ts";
import type { LaneBoard } from "./lane-board.ts";
import { durationText } from "./time-text.ts";

interface ViewBarProps {
  readonly board: LaneBoard;
  readonly state: BoardState | undefined;
  readonly isStale: boolean;
  readonly hasTable: boolean;
  jump(direction: -1 | 1): void;
  toggleTable(): void;
  readonly children: ComponentChildren;
}

const PAN_SHARE = 0.5;
const ZOOM = 2;
/** One second and more is worth saying. */
const NEWER_US = 1_000_000;

/** Buttons that do what drags and keys do, and where in time one is. */
export function ViewBar({ board, state, isStale, hasTable, jump, toggleTable, children }: ViewBarProps) {
  const { view } = board;
  const isLive = state?.isLive ?? true;
  const newer =
    state !== undefined && state.newerUs >= NEWER_US ? ` · ${durationText(wholeSeconds(state.newerUs))} newer` : "";
  return (
    <div class="bar-line view-bar">
      <button type="button" aria-pressed={isLive} aria-keyshortcuts="l" class="chip" onClick={() => view.live()}>
        {isLive ? (isStale ? "Stale" : "Live") : `paused${newer}`}
      </button>
      <span class="group">
        <button type="button" aria-label="Earlier" title="Earlier" onClick={() => view.pan(-PAN_SHARE)}>
          ‹
        </button>
        <button type="button" aria-label="Zoom out" title="Zoom out" onClick={() => view.zoom(ZOOM)}>
          −
        </button>
        <button type="button" aria-label="Zoom in" title="Zoom in" onClick={() => view.zoom(1 / ZOOM)}>
          +
        </button>
        <button type="button" aria-label="Later" title="Later" onClick={() => view.pan(PAN_SHARE)}>
          ›
        </button>
      </span>
      <button type="button" onClick={() => view.all !== undefined && view.look(view.all)}>
        All
      </button>
      <span class="group">
        <button type="button" aria-label="Previous event" title="Previous event or gap" onClick={() => jump(-1)}>
          [
        </button>
        <button type="button" aria-label="Next event" title="Next event or gap" onClick={() => jump(1)}>
          ]
        </button>
      </span>
      <button type="button" aria-pressed={hasTable} aria-keyshortcuts="d" onClick={toggleTable}>
        Table
      </button>
      {children}
      <span class="note resolution">{state?.resolution}</span>
    </div>
  );
}

function wholeSeconds(us: number): number {
  return Math.floor(us / 1_000_000) * 1_000_000;
}
