import type { ApiEvent } from "../../src/api/schemas/event-schema.ts";

/** The newest events, newest first. */
export function EventList({ events }: { readonly events: readonly ApiEvent[] }) {
  if (events.length === 0) return null;
  return (
    <section class="panel">
      <h2>Events</h2>
      <ol class="events">
        {events.map((event) => (
          <li key={event.id}>
            <time dateTime={new Date(event.unixUs / 1000).toISOString()}>
              {new Date(event.unixUs / 1000).toLocaleTimeString("en-GB")}
            </time>{" "}
            {event.device ?? ""} {event.text}
          </li>
        ))}
      </ol>
    </section>
  );
}
