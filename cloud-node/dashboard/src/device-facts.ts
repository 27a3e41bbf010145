import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Static } from "typebox";
import type { DeviceSchema, TrafficSchema } from "../../src/api/schemas/device-schema.ts";
import type { GapsSchema } from "../../src/api/schemas/history-schema.ts";
import { type AskFailure, ask } from "./history-client.ts";
import { isSameSpan, type TimeSpan } from "./time-span.ts";

/** Who a device is. */
export type DeviceAnswer = Static<typeof DeviceSchema>;
/** What it cost. */
export type TrafficAnswer = Static<typeof TrafficSchema>;
/** What is missing of it. */
export type GapsAnswer = Static<typeof GapsSchema>;

/** What it cost in a stretch of time. */
export interface SpanTraffic {
  readonly answer: TrafficAnswer;
  /** Undefined: the last 24 h. */
  readonly span: TimeSpan | undefined;
}

/** What the page asks about one device, besides its samples. */
export interface DeviceFacts {
  readonly device: DeviceAnswer | undefined;
  readonly traffic: SpanTraffic | undefined;
  readonly gaps: GapsAnswer | undefined;
  readonly failure: AskFailure | undefined;
  retry(): void;
}

/** Bytes and gaps change slowly; who a device is, hardly ever. */
const TOTALS_MS = 2000;
const DEVICE_EVERY = 5;

/**
 * Asks about one device, and goes on asking while somebody looks.
 *
 * @param span  what is looked at; undefined: what happens now
 * @param isPaused  what is known stays as it is
 * @param again  asks at once when it changes
 */
export function useDeviceFacts(id: string, span: TimeSpan | undefined, isPaused: boolean, again: string): DeviceFacts {
  const [device, setDevice] = useState<DeviceAnswer | undefined>();
  const [traffic, setTraffic] = useState<SpanTraffic | undefined>();
  const [gaps, setGaps] = useState<GapsAnswer | undefined>();
  const [failure, setFailure] = useState<AskFailure | undefined>();
  const round = useRef(0);
  const held = useRef(isPaused);
  held.current = isPaused;
  const latest = useRef(span);
  latest.current = span;
  const path = `devices/${encodeURIComponent(id)}`;

  const count = useCallback(
    async (signal: AbortSignal): Promise<void> => {
      const asked = latest.current;
      const range = asked === undefined ? "" : `?from=${Math.max(0, asked.fromUs)}&to=${Math.max(0, asked.toUs)}`;
      const bytes = await ask<TrafficAnswer>(`${path}/traffic${range}`, signal);
      // Of what was looked at before nobody asks any more.
      if (bytes === undefined || !("answer" in bytes) || !isSameSpan(asked, latest.current)) return;
      setTraffic({ answer: bytes.answer, span: asked });
    },
    [path],
  );
  const look = useCallback(
    async (signal: AbortSignal): Promise<void> => {
      const isFull = round.current % DEVICE_EVERY === 0;
      round.current += 1;
      if (isFull) {
        const asked = await ask<DeviceAnswer>(path, signal);
        if (asked === undefined) return;
        setFailure("failure" in asked ? asked.failure : undefined);
        if ("failure" in asked) {
          round.current = 0;
          return;
        }
        setDevice(asked.answer);
      }
      const [missing] = await Promise.all([ask<GapsAnswer>(`${path}/gaps`, signal), count(signal)]);
      if (missing !== undefined && "answer" in missing) setGaps(missing.answer);
    },
    [path, count],
  );

  const [fromUs, toUs] = [span?.fromUs, span?.toUs];
  const isFirst = useRef(true);
  useEffect(() => {
    if (isFirst.current) {
      isFirst.current = false;
      return;
    }
    const abort = new AbortController();
    void count(abort.signal);
    return () => abort.abort();
  }, [count, fromUs, toUs]);
  useEffect(() => {
    const abort = new AbortController();
    let timer = 0;
    round.current = 0;
    const repeat = async (): Promise<void> => {
      if (!document.hidden && !held.current) await look(abort.signal);
      if (!abort.signal.aborted) timer = window.setTimeout(repeat, TOTALS_MS);
    };
    void repeat();
    return () => {
      abort.abort();
      window.clearTimeout(timer);
    };
  }, [look, again]);

  const retry = useCallback(() => void look(new AbortController().signal), [look]);
  return { device, traffic, gaps, failure, retry };
}
