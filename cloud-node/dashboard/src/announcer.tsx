import { useEffect, useRef, useState } from "preact/hooks";
import { formatCounted } from "../../src/api/number-text.ts";
import type { FleetPage, FleetRow } from "../../src/api/schemas/fleet-schema.ts";

interface AnnouncerProps {
  readonly fleet: FleetPage | undefined;
  readonly row: FleetRow | undefined;
}

/** Alerts are read out at most so often, together. */
const CALM_MS = 10_000;

/** Reads new alerts out: many at once are one sentence. */
export function Announcer({ fleet, row }: AnnouncerProps) {
  const [text, setText] = useState("");
  const known = useRef<ReadonlySet<string> | undefined>(undefined);
  const waiting = useRef<string[]>([]);
  const spokeMs = useRef(Number.NEGATIVE_INFINITY);
  const rows = row === undefined ? (fleet?.rows ?? []) : [row];
  const alerts = rows.flatMap(({ id, alerts: open }) => open.map((alert) => `${id}: ${alert.text}`));
  const key = alerts.join("\n");
  useEffect(() => {
    const before = known.current;
    if (fleet === undefined && row === undefined) return;
    const all = key === "" ? [] : key.split("\n");
    known.current = new Set(all);
    // What is there when the page opens is read as part of it.
    if (before !== undefined) waiting.current.push(...all.filter((one) => !before.has(one)));
  }, [key, fleet, row]);
  useEffect(() => {
    const timer = window.setInterval(() => {
      const nowMs = performance.now();
      if (waiting.current.length === 0 || nowMs - spokeMs.current < CALM_MS) return;
      spokeMs.current = nowMs;
      const [first = ""] = waiting.current;
      const { length } = waiting.current;
      setText(length === 1 ? first : `${first}, and ${formatCounted(length - 1, "more alert")}`);
      waiting.current = [];
    }, 1000);
    return () => window.clearInterval(timer);
  }, []);
  return (
    <p class="unseen" role="status">
      {text}
    </p>
  );
}
