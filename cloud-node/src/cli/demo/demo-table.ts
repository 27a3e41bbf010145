import { type DeviceState, stateText } from "../../api/device-state.ts";
import { formatErrorShare, formatFill, formatNumber, UNKNOWN } from "../../api/number-text.ts";
import type { DemoRow, DemoView } from "./demo-view.ts";
import { ASCII_ALPHABET, BLOCK_ALPHABET, sparkline } from "./sparkline.ts";

/** What the terminal can show. */
export interface TableStyle {
  readonly columns: number;
  readonly rows: number;
  readonly isAscii: boolean;
  readonly hasColor: boolean;
}

/** Device column: at least as in the guide's drawing; longer names widen it up to this. */
const MIN_ID_WIDTH = 10;
const MAX_ID_WIDTH = 24;
const STATE_WIDTH = 13;
const SAVED_WIDTH = 9;
const ERROR_WIDTH = 9;
const P99_WIDTH = 9;
const RING_WIDTH = 6;
/** Between the parts of the lines above the table. */
const SEPARATOR = "   ";
/** Sixty seconds on sixty characters; fewer than ten say nothing. */
const MAX_SPARK_WIDTH = 60;
const MIN_SPARK_WIDTH = 10;
/** Lines above the table, its head, a blank line, and at least this many events. */
const FIXED_LINES = 5;
const MIN_EVENT_LINES = 3;

const KEYS = ["q quit", "p pause", "s sort", "↑ ↓ choose a device", "c cut its link for 10 s", "? close this"];
const ALERT_STATES: ReadonlySet<DeviceState> = new Set(["fault", "offline"]);

/** Which columns fit, and how wide the drawing of the last minute is; 0: left out. */
interface Columns {
  readonly id: number;
  readonly spark: number;
  readonly hasP99: boolean;
  readonly hasRing: boolean;
}

/** Characters of the sparkline at this width: how many buckets a row needs. */
export function sparkWidth(ids: readonly string[], columns: number): number {
  return fitColumns(ids, columns).spark;
}

/**
 * The whole screen as lines, none wider than the terminal, at most `rows` of them.
 *
 * Only what needs action is bold and red; everything else keeps the terminal's own colours.
 */
export function drawDemo(view: DemoView, style: TableStyle): string[] {
  const fit = fitColumns(
    view.rows.map((row) => row.id),
    style.columns,
  );
  const lines = [headLine(view, style), totalsLine(view, style), "", tableHead(fit, style)];
  const room = Math.max(1, style.rows - FIXED_LINES - MIN_EVENT_LINES);
  const shown = view.rows.length > room ? view.rows.slice(0, room - 1) : view.rows;
  for (const row of shown) lines.push(tableRow(row, row.id === view.chosen, fit, style));
  const hidden = view.rows.slice(shown.length);
  if (hidden.length > 0) lines.push(hiddenLine(hidden, style));
  lines.push("");
  const below = view.isHelpShown ? KEYS : eventLines(view, style.rows - lines.length);
  for (const line of below) lines.push(line);
  return lines.slice(0, style.rows).map((line) => clip(style.isAscii ? toAscii(line) : line, style.columns));
}

function fitColumns(ids: readonly string[], columns: number): Columns {
  const id = Math.min(Math.max(MIN_ID_WIDTH, ...ids.map((name) => name.length + 3)), MAX_ID_WIDTH);
  // One column stays free: a character in the last one makes some terminals wrap.
  const free = columns - 1 - id - STATE_WIDTH - SAVED_WIDTH - ERROR_WIDTH;
  const spark = (rest: number): number => (rest >= MIN_SPARK_WIDTH ? Math.min(rest, MAX_SPARK_WIDTH) : 0);
  if (free - P99_WIDTH - RING_WIDTH >= MIN_SPARK_WIDTH) {
    return { id, spark: spark(free - P99_WIDTH - RING_WIDTH), hasP99: true, hasRing: true };
  }
  if (free - RING_WIDTH >= MIN_SPARK_WIDTH)
    return { id, spark: spark(free - RING_WIDTH), hasP99: false, hasRing: true };
  return { id, spark: spark(free), hasP99: false, hasRing: false };
}

/** Where it does not all fit, the address stays longest: it is what a person needs from here. */
function headLine(view: DemoView, { columns }: TableStyle): string {
  const [name, eps, up] = ["lockstep demo", `eps ${view.eps}`, `up ${clockText(view.upMs)}`];
  const place = view.isPaused ? "PAUSED" : view.url;
  const right = "? keys";
  const full = [name, eps, up, place].join(SEPARATOR);
  const gap = columns - 1 - full.length - right.length;
  if (gap > 1) return `${full}${" ".repeat(gap)}${right}`;
  const shorter = [full, ...[[name, up, place], [name, place], [place]].map((parts) => parts.join(SEPARATOR))];
  return shorter.find((line) => line.length < columns) ?? place;
}

function totalsLine(view: DemoView, style: TableStyle): string {
  const count = (state: DeviceState): number => view.rows.filter((row) => row.state === state).length;
  const parts = [`${view.rows.length} device${view.rows.length === 1 ? "" : "s"}`];
  for (const state of ["fault", "offline", "catching-up"] as const) {
    if (count(state) > 0) parts.push(`${count(state)} ${stateText(state)}`);
  }
  return [
    parts.join(", "),
    `IP bytes ${ratioText(view.ratioIp)} fewer`,
    alertIf(view.beyondEps > 0, `beyond eps ${view.beyondEps}`, style),
    alertIf(view.lost > 0, `lost ${view.lost}`, style),
  ].join(SEPARATOR);
}

function tableHead(fit: Columns, _style: TableStyle): string {
  const spark = fit.spark > 0 ? "LAST 60 s".padEnd(fit.spark) : "";
  return [
    "DEVICE".padEnd(fit.id),
    "STATE".padEnd(STATE_WIDTH),
    spark,
    "SAVED IP".padStart(SAVED_WIDTH),
    "ERR/EPS".padStart(ERROR_WIDTH),
    fit.hasP99 ? "P99".padStart(P99_WIDTH) : "",
    fit.hasRing ? "RING".padStart(RING_WIDTH) : "",
  ].join("");
}

function tableRow(row: DemoRow, isChosen: boolean, fit: Columns, style: TableStyle): string {
  const alphabet = style.isAscii ? ASCII_ALPHABET : BLOCK_ALPHABET;
  const id = row.id.slice(0, fit.id - 3).padEnd(fit.id - 2);
  const error = formatErrorShare(row.errorShare).padStart(ERROR_WIDTH);
  return [
    `${id}${isChosen ? "> " : "  "}`,
    alertIf(ALERT_STATES.has(row.state), stateText(row.state).padEnd(STATE_WIDTH), style),
    fit.spark > 0 ? sparkline(row.recent.slice(-fit.spark), alphabet).padStart(fit.spark) : "",
    ratioText(row.ratioIp).padStart(SAVED_WIDTH),
    alertIf(row.errorShare > 1, error, style),
    fit.hasP99 ? durationText(row.p99Ms).padStart(P99_WIDTH) : "",
    fit.hasRing ? plainSpaces(formatFill(row.ringFill)).padStart(RING_WIDTH) : "",
  ].join("");
}

function hiddenLine(hidden: readonly DemoRow[], _style: TableStyle): string {
  const live = hidden.filter((row) => row.state === "live").length;
  return live === hidden.length ? `… and ${live} more live` : `… and ${hidden.length} more, ${live} live`;
}

function eventLines(view: DemoView, room: number): string[] {
  const width = Math.max(0, ...view.rows.map((row) => row.id.length));
  return view.events
    .slice(-Math.max(0, room))
    .map(({ unixMs, id, text }) => `${timeOfDay(unixMs)}  ${id.padEnd(width)}  ${text}`);
}

/** A saving, rounded down, with a plain "x": "24.4x". */
export function ratioText(ratio: number): string {
  return Number.isFinite(ratio) && ratio > 0 ? `${formatNumber(ratio, "down")}x` : UNKNOWN;
}

/** A delay, rounded up: "42 ms", "1.8 s". */
export function durationText(ms: number): string {
  if (!Number.isFinite(ms)) return UNKNOWN;
  return ms < 1000 ? `${Math.ceil(ms)} ms` : `${(Math.ceil(ms / 100) / 10).toFixed(1)} s`;
}

/** "00:01:12" */
export function clockText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

/** Local time of day, "10:24:19". */
export function timeOfDay(unixMs: number): string {
  const date = new Date(unixMs);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}

function alertIf(isAlert: boolean, text: string, { hasColor }: TableStyle): string {
  if (!isAlert) return text;
  return hasColor ? `\u001b[1;31m${text}\u001b[0m` : `\u001b[1m${text}\u001b[0m`;
}

/** A terminal's fonts are of one width: the thin space of the page would be a box in some. */
function plainSpaces(text: string): string {
  return text.replaceAll("\u202f", " ");
}

function toAscii(line: string): string {
  return line.replaceAll("…", "...").replaceAll("↑ ↓", "up, down").replaceAll("–", "-").replaceAll("·", "-");
}

/** Cut a line to the terminal's width; escapes take no room and are kept. */
function clip(line: string, columns: number): string {
  let room = columns - 1;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences start with one
  return line.replace(/(\u001b\[[0-9;]*m)|([^\u001b])/gu, (_match, style: string | undefined, char: string) => {
    if (style !== undefined) return style;
    room -= 1;
    return room >= 0 ? char : "";
  });
}
