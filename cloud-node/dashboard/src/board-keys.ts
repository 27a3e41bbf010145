import type { LaneBoard } from "./lane-board.ts";
import { lengthUs } from "./time-span.ts";

/** Shift makes a step so many buckets. */
const FAST = 10;
const ZOOM_IN = 0.5;
const ZOOM_OUT = 2;
const PAGE_SHARE = 0.8;

/** What the page does for keys of the lanes that are not about their view. */
export interface BoardActions {
  jump(direction: -1 | 1): void;
  toggleTable(): void;
  toggleError(): void;
}

/**
 * A key pressed on the lanes.
 *
 * @returns whether it meant something
 */
export function pressOnBoard(event: KeyboardEvent, board: LaneBoard, actions: BoardActions): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const { view } = board;
  const stepUs = board.bucketUs * (event.shiftKey ? FAST : 1);
  switch (event.key) {
    case "ArrowLeft":
      view.step(-stepUs);
      return true;
    case "ArrowRight":
      view.step(stepUs);
      return true;
    case "Home":
      view.step(view.span.fromUs - (view.cursorUs ?? view.span.toUs));
      return true;
    case "End":
      view.step(view.span.toUs - (view.cursorUs ?? view.span.toUs));
      return true;
    case "PageUp":
      view.pan(-PAGE_SHARE);
      return true;
    case "PageDown":
      view.pan(PAGE_SHARE);
      return true;
    case "+":
    case "=":
      view.zoom(ZOOM_IN);
      return true;
    case "-":
      view.zoom(ZOOM_OUT);
      return true;
    case " ":
      view.select();
      return true;
    case "Enter":
      if (view.selection !== undefined) view.select();
      else if (lengthUs(view.span) > 0) view.zoom(ZOOM_IN);
      return true;
    case "[":
      actions.jump(-1);
      return true;
    case "]":
      actions.jump(1);
      return true;
    case "l":
      view.live();
      return true;
    case "d":
      actions.toggleTable();
      return true;
    case "e":
      actions.toggleError();
      return true;
    case "Escape":
      return view.back();
    default:
      return false;
  }
}
