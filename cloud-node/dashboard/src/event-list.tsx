import { useContext } from "preact/hooks";
import type { ApiEvent } from "../../src/api/schemas/event-schema.ts";
import { PageContext } from "./page-context.ts";
import { dateAndTime, isoTime, timeOfDay } from "./time-text.ts";

interface EventListProps {
  readonly events: readonly ApiEvent[];
  /** Go to where an event happened; undefined: events are only told. */
  readonly choose: ((event: ApiEvent) => void) | undefined;
}

/** Each level as a shape and a word. */
const LEVELS: Readonly<Record<ApiEvent["level"], { readonly shape: string; readonly word: string }>> = {
  info: { shape: "M6 1.2a4.8 4.8 0 1 0 0 9.6 4.8 4.8 0 0 0 0-9.6Z", word: "Note" },
  warn: { shape: "M6 1 11 6 6 11 1 6Z", word: "Warning" },
  bad: { shape: "M6 1 11.5 11H.5Z", word: "Problem" },
};

/** The newest events, newest first. */
export function EventList({ events, choose }: EventListProps) {
  const { zone } = useContext(PageContext);
  if (events.length === 0) return null;
  return (
    <section class="panel">
      <h2>Events</h2>
      {/* Where no event is a button, the list itself is what keys scroll. */}
      <ol class="events" tabIndex={choose === undefined ? 0 : undefined}>
        {events.map((event) => {
          // A node newer than this page may know more levels.
          const { shape, word } = LEVELS[event.level] ?? LEVELS.info;
          const said = `${event.device === null || choose !== undefined ? "" : `${event.device}: `}${event.text}`;
          return (
            <li key={event.id} class={`event ${event.level}`}>
              <time dateTime={isoTime(event.unixUs)} title={dateAndTime(event.unixUs, zone, 3)}>
                {timeOfDay(event.unixUs, zone)}
              </time>
              <span class="level">
                <svg viewBox="0 0 12 12" aria-hidden="true">
                  <path d={shape} fill={event.level === "info" ? "none" : "currentColor"} stroke="currentColor" />
                </svg>
                {word}
              </span>
              {choose === undefined ? (
                <span>{said}</span>
              ) : (
                <button type="button" class="plain link" onClick={() => choose(event)}>
                  {said}
                </button>
              )}
            </li>
          );
        })}
      </ol>
    </section>
  );
}
