import { useContext, useEffect, useRef } from "preact/hooks";
import type { BucketsAnswer } from "../../src/api/schemas/history-schema.ts";
import { ask } from "./history-client.ts";
import type { LaneBoard } from "./lane-board.ts";
import { LaneColumns } from "./lane-columns.ts";
import { DENSE_LINE_PX, drawLine, isDense, pointsInView } from "./lane-line.ts";
import { AXIS_PX, RIGHT_PX } from "./lane-plot.ts";
import { listen } from "./listeners.ts";
import { PageContext } from "./page-context.ts";
import { PixelColumns } from "./pixel-columns.ts";
import { plotTokens } from "./theme.ts";
import { lengthUs, panned, type TimeSpan } from "./time-span.ts";

interface OverviewProps {
  readonly board: LaneBoard;
  readonly device: string;
  readonly channel: string;
  /** What the lanes show. */
  readonly view: TimeSpan;
}

const HEIGHT_PX = 40;
const AGAIN_MS = 10_000;
const MIN_BRUSH_PX = 4;

/** All of the history, and a brush over what the lanes show: dragging it looks elsewhere. */
export function Overview({ board, device, channel, view }: OverviewProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const answer = useRef<BucketsAnswer | undefined>(undefined);
  const columns = useRef<LaneColumns | undefined>(undefined);
  const { theme } = useContext(PageContext);
  const paint = (): void => {
    if (canvas.current !== null) draw(canvas.current, columns.current, answer.current, board.view.all, view);
  };
  const latest = useRef(paint);
  latest.current = paint;

  useEffect(() => {
    const abort = new AbortController();
    const look = async (): Promise<void> => {
      const all = board.view.all;
      if (all === undefined || document.hidden) return;
      const query = new URLSearchParams({
        from: String(Math.floor(all.fromUs)),
        to: String(Math.ceil(all.toUs)),
        buckets: "600",
        channels: channel,
      });
      const asked = await ask<BucketsAnswer>(`devices/${encodeURIComponent(device)}/history?${query}`, abort.signal);
      if (asked === undefined || !("answer" in asked)) return;
      answer.current = asked.answer;
      columns.current ??= new LaneColumns();
      const [one] = asked.answer.channels;
      columns.current.clear();
      if (one !== undefined && asked.answer.widthUs !== null) {
        columns.current.fillBuckets({ ...asked.answer, widthUs: asked.answer.widthUs, ...one });
      }
      latest.current();
    };
    void look();
    const timer = window.setInterval(() => void look(), AGAIN_MS);
    return () => {
      abort.abort();
      window.clearInterval(timer);
    };
  }, [board, device, channel]);
  useEffect(paint, [view, theme]);
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => latest.current());
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  return (
    <div class="overview" onPointerDown={(event) => beginBrush(event, board)}>
      <canvas ref={canvas} height={HEIGHT_PX} />
    </div>
  );
}

/** Drag the brush; a press beside it brings it there. */
function beginBrush(event: PointerEvent & { readonly currentTarget: HTMLElement }, board: LaneBoard): void {
  const element = event.currentTarget;
  const all = board.view.all;
  if (all === undefined) return;
  event.preventDefault();
  element.setPointerCapture(event.pointerId);
  const widthPx = Math.max(1, element.clientWidth - AXIS_PX - RIGHT_PX);
  const left = element.getBoundingClientRect().left + AXIS_PX;
  const timeAt = (clientX: number): number => all.fromUs + ((clientX - left) / widthPx) * lengthUs(all);
  board.view.remember();
  let start = board.view.span;
  const grabbedUs = timeAt(event.clientX);
  if (grabbedUs < start.fromUs || grabbedUs > start.toUs) {
    start = panned(start, grabbedUs - (start.fromUs + start.toUs) / 2);
    board.view.look(start, false);
  }
  const onMove = (move: PointerEvent): void => board.view.look(panned(start, timeAt(move.clientX) - grabbedUs), false);
  const end = listen(element, { pointermove: onMove, pointerup: () => end(), pointercancel: () => end() });
}

function draw(
  canvas: HTMLCanvasElement,
  columns: LaneColumns | undefined,
  answer: BucketsAnswer | undefined,
  all: TimeSpan | undefined,
  view: TimeSpan,
): void {
  const ratio = devicePixelRatio;
  const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(HEIGHT_PX * ratio)];
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const ctx = canvas.getContext("2d");
  if (ctx === null || all === undefined) return;
  const tokens = plotTokens();
  ctx.clearRect(0, 0, width, height);
  const [left, plotWidth] = [AXIS_PX * ratio, width - (AXIS_PX + RIGHT_PX) * ratio];
  const xOf = (us: number): number => left + ((us - all.fromUs) / lengthUs(all)) * plotWidth;
  if (columns !== undefined && columns.length > 0) {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const value of columns.confirmed) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    const margin = (high - low) * 0.1 || 1;
    const scale = { fromS: all.fromUs / 1e6, toS: all.toUs / 1e6, low: low - margin, high: high + margin };
    const area = { ctx, left, top: 0, width: plotWidth, height, pixelRatio: ratio, ...scale };
    const points = pointsInView(area, { x: columns.x, y: columns.confirmed });
    const pixels = isDense(area, points, DENSE_LINE_PX) ? new PixelColumns() : undefined;
    pixels?.fill(area, points);
    drawLine(area, points, pixels, { color: tokens.ink2, widthPx: 1, dash: [] });
  }
  ctx.fillStyle = tokens.bad;
  for (const { kind, fromUs, toUs } of answer?.runs ?? []) {
    if (kind !== "gap-lost" && kind !== "damaged") continue;
    ctx.fillRect(xOf(fromUs), height - 4 * ratio, Math.max(2 * ratio, xOf(toUs) - xOf(fromUs)), 4 * ratio);
  }
  const from = Math.max(left, Math.min(xOf(view.fromUs), left + plotWidth - MIN_BRUSH_PX * ratio));
  const to = Math.min(left + plotWidth, Math.max(xOf(view.toUs), from + MIN_BRUSH_PX * ratio));
  ctx.globalAlpha = tokens.bandAlpha;
  ctx.fillStyle = tokens.series[0];
  ctx.fillRect(from, 0, to - from, height);
  ctx.globalAlpha = 1;
  ctx.strokeStyle = tokens.series[0];
  ctx.lineWidth = ratio;
  ctx.strokeRect(from + ratio / 2, ratio / 2, to - from - ratio, height - ratio);
}
