import { useContext } from "preact/hooks";
import { formatAge } from "../../src/api/number-text.ts";
import { PageContext } from "./page-context.ts";
import { dateAndTime, isoTime } from "./time-text.ts";

/** From so long ago on the date says more than the number of days. */
const DATE_FROM_US = 14 * 86_400_000_000;

interface AgeProps {
  /** Unix time, µs. */
  readonly atUs: number;
  readonly nowUs: number;
}

/** How long ago something was; when exactly is in the element, and shown to who points at it. */
export function Age({ atUs, nowUs }: AgeProps) {
  const { zone } = useContext(PageContext);
  const exactly = dateAndTime(atUs, zone);
  return (
    <time dateTime={isoTime(atUs)} title={exactly}>
      {nowUs - atUs < DATE_FROM_US ? formatAge((nowUs - atUs) / 1000) : exactly.slice(0, 10)}
    </time>
  );
}
