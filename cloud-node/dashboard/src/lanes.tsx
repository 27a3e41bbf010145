import { useEffect, useRef, useState } from "preact/hooks";
import type { LaneChannel, LaneUpdate } from "../../src/api/lane-feed.ts";
import { formatValue, UNKNOWN, valueDecimals } from "../../src/api/number-text.ts";
import { LaneData } from "./lane-data.ts";
import type { LaneHub } from "./lane-hub.ts";
import { type BandLook, LanePlot, timeOfDay } from "./lane-plot.ts";
import { onTokensChange, plotTokens, type Theme } from "./theme.ts";

interface LanesProps {
  readonly hub: LaneHub;
  readonly device: string;
  readonly isPaused: boolean;
  readonly theme: Theme;
  /** Device time now, s; the right edge of every lane. */
  nowS(): number;
}

/** Redraws of moving time; data comes more rarely. */
const REDRAW_MS = 200;
/** For a person who asked for less motion. */
const REDUCED_REDRAW_MS = 1000;
/** How far, as a part of the window, the newest sample may move away from the right edge. */
const HELD_SHARE = 0.8;
/** More lanes than this are folded away. */
const OPEN_LANES = 8;

interface Shown {
  readonly channels: readonly LaneChannel[];
  readonly windowUs: number;
}

/** One lane for each channel of a device, sharing time and cursor. */
export function Lanes({ hub, device, isPaused, theme, nowS }: LanesProps) {
  const [shown, setShown] = useState<Shown | undefined>();
  const datas = useRef<LaneData[]>([]);
  const latest = useRef<LaneUpdate | undefined>(undefined);
  useEffect(
    () =>
      hub.listen((update) => {
        if (update.device !== device) return;
        if (update.isWhole) {
          datas.current = update.channels.map(() => new LaneData());
          setShown({ channels: update.channels, windowUs: update.windowUs });
        }
        latest.current = update;
        for (const [c, data] of datas.current.entries()) data.apply(update, c);
      }),
    [hub, device],
  );
  const open = shown?.channels.slice(0, OPEN_LANES) ?? [];
  const folded = (shown?.channels.length ?? 0) - open.length;
  return (
    <section class="panel" aria-label={`Channels of ${device}`}>
      <h2>{device}</h2>
      {open.map((channel, c) => (
        <Lane
          key={channel.name}
          channel={channel}
          windowUs={shown?.windowUs ?? 0}
          data={() => datas.current[c]}
          update={() => latest.current}
          index={c}
          isPaused={isPaused}
          theme={theme}
          nowS={nowS}
        />
      ))}
      {folded > 0 && <p class="legend">{folded} more channels are not drawn.</p>}
      <p class="legend">
        Line: confirmed samples, each within the band of ± eps. Dashed, right of the upright line: what the twin
        expects, without a bound. Hatched: lost, or no reading.
      </p>
    </section>
  );
}

interface LaneProps {
  readonly channel: LaneChannel;
  readonly windowUs: number;
  readonly index: number;
  readonly isPaused: boolean;
  readonly theme: Theme;
  data(): LaneData | undefined;
  update(): LaneUpdate | undefined;
  nowS(): number;
}

function Lane({ channel, windowUs, index, isPaused, theme, data, update, nowS }: LaneProps) {
  const parent = useRef<HTMLDivElement>(null);
  const plot = useRef<LanePlot | undefined>(undefined);
  const cursor = useRef<number | null>(null);
  const value = useRef<HTMLElement>(null);
  const [look, setLook] = useState<BandLook>("band");
  const [held, setHeld] = useState<string | undefined>();

  useEffect(() => {
    const element = parent.current;
    if (element === null) return;
    const created = new LanePlot(element, plotTokens(), "lanes", (at) => {
      cursor.current = at;
    });
    plot.current = created;
    const observer = new ResizeObserver(() => created.resize(element.clientWidth));
    observer.observe(element);
    onTokensChange(() => created.setTokens(plotTokens()));
    return () => {
      observer.disconnect();
      created.destroy();
      plot.current = undefined;
    };
  }, []);

  useEffect(() => plot.current?.setTokens(plotTokens()), [theme]);

  useEffect(() => {
    if (isPaused) return;
    const draw = (): void => {
      const [lane, last, canvas] = [data(), update(), plot.current];
      if (lane === undefined || last === undefined || canvas === undefined || document.hidden) return;
      const { times, values } = last.extrapolated;
      const columns = lane.columns({ times, values: values[index] ?? [] });
      const confirmedS = last.confirmedUs / 1e6;
      // The last good picture stays: time stands still before the newest sample leaves on the left.
      const latestS = confirmedS === 0 ? nowS() : confirmedS + (HELD_SHARE * windowUs) / 1e6;
      const toS = Math.min(Math.max(nowS(), confirmedS), latestS);
      setHeld(toS < nowS() ? timeOfDay(confirmedS) : undefined);
      const ground = { eps: channel.eps, runs: lane.runs, confirmedS };
      setLook(canvas.show(columns, ground, toS - windowUs / 1e6, toS));
      const at = cursor.current === null ? lane.last : (columns.confirmed[cursor.current] ?? undefined);
      if (value.current !== null) value.current.textContent = withBound(at, channel);
    };
    draw();
    const isReduced = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const timer = window.setInterval(draw, isReduced ? REDUCED_REDRAW_MS : REDRAW_MS);
    return () => window.clearInterval(timer);
  }, [isPaused, channel, windowUs, index, data, update, nowS]);

  return (
    <div class="lane">
      <h3 class="lane-head">
        <b>{channel.name}</b>
        <span class="values" data-channel={channel.name} ref={value}>
          {UNKNOWN}
        </span>
        {held !== undefined && <span class="note">no samples since {held}</span>}
        {look === "thin" && <span class="note">± eps is thinner than the line</span>}
      </h3>
      <div class="plot" ref={parent} role="img" aria-label={`${channel.name}, the last ${windowUs / 1e6} seconds`} />
    </div>
  );
}

/** "0.42 ± 0.05 g" */
function withBound(value: number | undefined, { eps, unit }: LaneChannel): string {
  if (value === undefined) return UNKNOWN;
  const bound = Number(eps.toPrecision(2)).toFixed(Math.min(valueDecimals(eps) + 1, 12));
  const trimmed = bound.includes(".") ? bound.replace(/\.?0+$/, "") : bound;
  return `${formatValue(value, eps)} ± ${trimmed}${unit === "" || unit === "1" ? "" : `\u202f${unit}`}`;
}
