import { useEffect, useRef } from "preact/hooks";
import { UNKNOWN } from "../../src/api/number-text.ts";
import type { LaneBoard } from "./lane-board.ts";
import type { ValueChannel } from "./value-text.ts";

/** One channel: its name, its value at the cursor, its plot. The board writes into it; Preact only made it. */
export function Lane({ board, channel }: { readonly board: LaneBoard; readonly channel: ValueChannel }) {
  const plot = useRef<HTMLDivElement>(null);
  const value = useRef<HTMLSpanElement>(null);
  const note = useRef<HTMLSpanElement>(null);
  const { name, unit, eps } = channel;
  useEffect(() => {
    const [plotElement, valueElement, noteElement] = [plot.current, value.current, note.current];
    if (plotElement === null || valueElement === null || noteElement === null) return;
    return board.mount([{ name, unit, eps }], { plot: plotElement, value: valueElement, note: noteElement });
  }, [board, name, unit, eps]);
  return (
    <div class="lane">
      <h3 class="lane-head">
        <b>{name}</b>
        <span class="values" data-channel={name} ref={value}>
          {UNKNOWN}
        </span>
        <span class="note" ref={note} />
      </h3>
      <div class="plot" ref={plot} role="img" aria-label={name} />
    </div>
  );
}
