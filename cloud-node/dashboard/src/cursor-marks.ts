import type { LaneBoard } from "./lane-board.ts";
import { AXIS_PX } from "./lane-plot.ts";
import { lengthUs } from "./time-span.ts";

/** Put the cursor line and the selection where the board has them, and say in words what is there. */
export function placeCursor(board: LaneBoard, line: HTMLElement | null, selection: HTMLElement | null): void {
  const { span, cursorUs, selection: chosen } = board.view;
  const xOf = (us: number): number => {
    const share = (us - span.fromUs) / lengthUs(span);
    return AXIS_PX + Math.min(1, Math.max(0, share)) * board.plotPx;
  };
  if (line !== null) {
    const isFocused = document.activeElement === line;
    const at = cursorUs ?? span.toUs;
    const isIn = at >= span.fromUs && at <= span.toUs;
    line.style.transform = `translateX(${Math.round(xOf(at))}px)`;
    line.classList.toggle("is-idle", cursorUs === undefined || !isIn);
    line.setAttribute("aria-valuemin", String(Math.round(span.fromUs / 1000)));
    line.setAttribute("aria-valuemax", String(Math.round(span.toUs / 1000)));
    const now = String(Math.round(Math.min(Math.max(at, span.fromUs), span.toUs) / 1000));
    // What moves by itself is not read out; what a person moved is.
    const isAsked = isFocused && cursorUs !== undefined;
    if (isAsked || !line.hasAttribute("aria-valuetext") || line.getAttribute("aria-valuenow") !== now) {
      line.setAttribute("aria-valuenow", now);
      line.setAttribute("aria-valuetext", board.cursorText());
    }
  }
  if (selection !== null) {
    selection.hidden = chosen === undefined;
    if (chosen !== undefined) {
      const left = xOf(chosen.fromUs);
      selection.style.transform = `translateX(${left}px)`;
      selection.style.width = `${Math.max(1, xOf(chosen.toUs) - left)}px`;
    }
  }
}
