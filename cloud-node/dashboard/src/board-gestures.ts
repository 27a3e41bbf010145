import type { LaneBoard } from "./lane-board.ts";
import { AXIS_PX } from "./lane-plot.ts";
import { listen } from "./listeners.ts";
import { lengthUs, panned, type TimeSpan, zoomed } from "./time-span.ts";

/** A pointer that moved less than this was a click. */
const DRAG_PX = 4;
/** Zoom for one line of a wheel. */
const WHEEL_BASE = 1.002;

const TURN_MS = 500;

interface Drag {
  readonly kind: "select" | "pan" | "pinch";
  readonly startX: number;
  readonly startUs: number;
  readonly view: TimeSpan;
  readonly distance: number;
  hasMoved: boolean;
}

/**
 * Pointers on the lanes. Mouse: drag zooms, Shift-drag pans, double-click steps back, wheel with Ctrl or ⌘ zooms.
 * Touch: one finger sideways moves the cursor, two zoom; up and down stay the page's.
 *
 * @returns ends it
 */
export function listenToGestures(element: HTMLElement, board: LaneBoard): () => void {
  const fingers = new Map<number, number>();
  let drag: Drag | undefined;
  let wheeledMs = Number.NEGATIVE_INFINITY;
  const { view } = board;

  const shareAt = (clientX: number): number => {
    const x = clientX - element.getBoundingClientRect().left - AXIS_PX;
    return Math.min(1, Math.max(0, x / board.plotPx));
  };
  const timeAt = (clientX: number, span = view.span): number =>
    Math.round(span.fromUs + shareAt(clientX) * lengthUs(span));
  const distance = (): number => {
    const [a = 0, b = 0] = fingers.values();
    return Math.max(1, Math.abs(a - b));
  };
  const begin = (kind: Drag["kind"], clientX: number): void => {
    const span = view.span;
    drag = { kind, startX: clientX, startUs: timeAt(clientX), view: span, distance: distance(), hasMoved: false };
  };

  const onDown = (event: PointerEvent): void => {
    if (event.target instanceof Element && event.target.closest("button, a, input, label") !== null) return;
    if (event.pointerType === "mouse" && event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    if (event.pointerType === "mouse") {
      event.preventDefault();
      element.querySelector<HTMLElement>("[role=slider]")?.focus({ preventScroll: true });
      begin(event.shiftKey ? "pan" : "select", event.clientX);
      return;
    }
    fingers.set(event.pointerId, event.clientX);
    if (fingers.size === 2) {
      const [a = 0, b = 0] = fingers.values();
      begin("pinch", (a + b) / 2);
    } else view.point(timeAt(event.clientX));
  };

  const follow = (clientX: number, current: Drag): void => {
    const { kind, startX, startUs, view: begun, hasMoved } = current;
    if (!hasMoved && kind !== "pinch" && Math.abs(clientX - startX) < DRAG_PX) return;
    if (!hasMoved && kind !== "select") view.remember();
    if (!hasMoved && kind === "select") {
      // What is being chosen stands still meanwhile.
      if (view.isLive) view.look(begun);
      view.anchor(startUs);
    }
    current.hasMoved = true;
    if (kind === "select") view.point(timeAt(clientX, begun));
    else if (kind === "pan") view.look(panned(begun, ((startX - clientX) / board.plotPx) * lengthUs(begun)), false);
    else view.look(zoomed(begun, current.distance / distance(), startUs), false);
  };

  const onMove = (event: PointerEvent): void => {
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, event.clientX);
    if (drag === undefined) view.point(timeAt(event.clientX));
    else follow(event.clientX, drag);
  };

  const onUp = (event: PointerEvent): void => {
    fingers.delete(event.pointerId);
    if (drag?.kind === "select" && drag.hasMoved) view.select();
    if (fingers.size < 2) drag = undefined;
  };

  const onCancel = (event: PointerEvent): void => {
    fingers.delete(event.pointerId);
    if (drag?.kind === "select") view.anchor(undefined);
    drag = undefined;
  };

  const onLeave = (event: PointerEvent): void => {
    // A finger that is lifted was over what a person wants to read now.
    if (event.pointerType !== "mouse") return;
    if (drag === undefined && !element.contains(document.activeElement)) view.point(undefined);
  };

  const onWheel = (event: WheelEvent): void => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    // One turn of the wheel is one step back.
    const isTurn = event.timeStamp - wheeledMs > TURN_MS;
    wheeledMs = event.timeStamp;
    view.zoom(WHEEL_BASE ** event.deltaY, timeAt(event.clientX), isTurn);
  };

  const onDouble = (): void => {
    view.back();
  };

  return listen(element, {
    pointerdown: onDown,
    pointermove: onMove,
    pointerup: onUp,
    pointercancel: onCancel,
    pointerleave: onLeave,
    wheel: onWheel,
    dblclick: onDouble,
  });
}
