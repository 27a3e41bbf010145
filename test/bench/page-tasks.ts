/** What the page's own thread did while something was watched, in time that it really ran: others on the machine do not count. */
export interface TaskTimes {
  /** The task that ran longest, ms: no frame is shown in it. */
  readonly longestMs: number;
  /** Most script in one task, ms. */
  readonly scriptMs: number;
  /** Most of everything else in one task, ms: style, layout, and the canvas, which is rasterised here without a GPU. */
  readonly restMs: number;
}

/** What the tracing of a browser is asked for. */
export const TASK_CATEGORIES = ["devtools.timeline", "disabled-by-default-devtools.timeline"];

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  /** Of `dur`, what the thread ran, µs. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** Where scripts are entered from outside. */
const SCRIPT: ReadonlySet<string> = new Set([
  ...["EvaluateScript", "FunctionCall", "FireAnimationFrame", "TimerFire", "EventDispatch", "RunMicrotasks"],
  ...["v8.compile", "v8.compileModule", "MinorGC", "MajorGC"],
]);

/** @param trace  a trace of Chromium as JSON */
export function taskTimes(trace: string): TaskTimes {
  const { traceEvents } = JSON.parse(trace) as { traceEvents: readonly TraceEvent[] };
  const placeOf = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
  const isMain = ({ name, args }: TraceEvent) => name === "thread_name" && args?.name === "CrRendererMain";
  const mains = new Set(traceEvents.filter(isMain).map(placeOf));
  const spans = traceEvents.filter((event) => event.ph === "X" && mains.has(placeOf(event)));
  const byPlace = Map.groupBy(spans, placeOf);
  let [longestMs, scriptMs, restMs] = [0, 0, 0];
  for (const events of byPlace.values()) {
    const scripts = outermost(events.filter(({ name }) => SCRIPT.has(name)));
    for (const task of outermost(events.filter(({ name }) => name === "RunTask"))) {
      const own = scripts.filter((script) => script.ts >= task.ts && script.ts < task.ts + (task.dur ?? 0));
      const script = own.reduce((sum, { tdur = 0 }) => sum + tdur, 0) / 1000;
      const all = (task.tdur ?? 0) / 1000;
      longestMs = Math.max(longestMs, all);
      scriptMs = Math.max(scriptMs, script);
      restMs = Math.max(restMs, all - script);
    }
  }
  return { longestMs, scriptMs, restMs };
}

/** Those that lie in no other one of them. */
function outermost(events: readonly TraceEvent[]): TraceEvent[] {
  const found: TraceEvent[] = [];
  let endTs = Number.NEGATIVE_INFINITY;
  for (const event of [...events].sort((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0))) {
    if (event.ts < endTs) continue;
    found.push(event);
    endTs = event.ts + (event.dur ?? 0);
  }
  return found;
}
