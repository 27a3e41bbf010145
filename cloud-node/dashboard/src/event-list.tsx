import type { TimedEvent } from "../../src/api/page-source.ts";

/** What an event means, in one phrase. */
function phrase(event: TimedEvent): string {
  switch (event.kind) {
    case "born":
      return event.isNewEpoch ? `booted, epoch ${event.epoch}` : "introduced itself again";
    case "online":
      return "online";
    case "offline":
      return "offline: its link or its power is gone";
    case "gap-pending":
      return `${event.count} frames missing, asked for again`;
    case "gap-lost":
      return `${event.samples} samples lost: ${event.reason}`;
    case "resync":
      return `asked to start afresh: ${event.reason}`;
    case "conflict":
      return `sent other bytes for frame ${event.seq}; not stored`;
    case "saturated":
      return `${event.count} values clipped`;
    case "invalid":
      return `${event.count} readings missing`;
    case "refused":
      return `refused: ${event.reason}`;
    case "store-failed":
      return `store: ${event.message}`;
    case "confirmed":
      return "";
  }
}

/** The newest events, newest first. */
export function EventList({ events }: { readonly events: readonly TimedEvent[] }) {
  if (events.length === 0) return null;
  return (
    <section class="panel">
      <h2>Events</h2>
      <ol class="events">
        {events.map((event) => (
          <li key={`${event.unixUs} ${event.kind}`}>
            <time dateTime={new Date(event.unixUs / 1000).toISOString()}>
              {new Date(event.unixUs / 1000).toLocaleTimeString("en-GB")}
            </time>{" "}
            {"device" in event ? event.device : ""} {phrase(event)}
          </li>
        ))}
      </ol>
    </section>
  );
}
