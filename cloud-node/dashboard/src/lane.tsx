import { useEffect, useRef } from "preact/hooks";
import { UNKNOWN } from "../../src/api/number-text.ts";
import type { LaneBoard } from "./lane-board.ts";
import type { LaneElements } from "./lane-face.ts";
import type { ValueChannel } from "./value-text.ts";

/** One channel: its name, its value at the cursor, its plot. The board writes into it; Preact only made it. */
export function Lane({ board, channel }: { readonly board: LaneBoard; readonly channel: ValueChannel }) {
  const { name, unit, eps } = channel;
  const mount = (elements: LaneElements) => board.mount([{ name, unit, eps }], elements);
  return <LaneFrame title={name} place="" mount={mount} again={[board, name, unit, eps]} />;
}

interface ComparedProps {
  readonly board: LaneBoard;
  /** Two to four of one unit. */
  readonly channels: readonly ValueChannel[];
}

/** A few channels of one unit over each other. */
export function ComparedLane({ board, channels }: ComparedProps) {
  const key = channels.map(({ name, eps }) => `${name} ${eps}`).join(", ");
  const mount = (elements: LaneElements) => board.mount(channels, elements);
  return <LaneFrame title="Compare" place="compared" mount={mount} again={[board, key]} />;
}

/** The error as a part of its bound, where the truth is known: the promise in one picture. */
export function ErrorLane({ board }: { readonly board: LaneBoard }) {
  return <LaneFrame title="error / eps" place="" mount={(elements) => board.mountError(elements)} again={[board]} />;
}

interface LaneFrameProps {
  readonly title: string;
  readonly place: string;
  mount(elements: LaneElements): () => void;
  /** Whatever the mount depends on. */
  readonly again: readonly unknown[];
}

function LaneFrame({ title, place, mount, again }: LaneFrameProps) {
  const plot = useRef<HTMLDivElement>(null);
  const value = useRef<HTMLSpanElement>(null);
  const note = useRef<HTMLSpanElement>(null);
  const latest = useRef(mount);
  latest.current = mount;
  useEffect(() => {
    const [plotElement, valueElement, noteElement] = [plot.current, value.current, note.current];
    if (plotElement === null || valueElement === null || noteElement === null) return;
    return latest.current({ plot: plotElement, value: valueElement, note: noteElement });
  }, again);
  return (
    <div class={`lane ${place}`}>
      <h3 class="lane-head">
        <b>{title}</b>
        <span class="values" data-channel={title} ref={value}>
          {UNKNOWN}
        </span>
        <span class="note" ref={note} />
      </h3>
      <div class="plot" ref={plot} role="img" aria-label={title} />
    </div>
  );
}
