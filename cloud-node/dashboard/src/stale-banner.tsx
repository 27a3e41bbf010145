import { durationText, type TimeZone, timeOfDay } from "./time-text.ts";

interface StaleBannerProps {
  readonly silentMs: number;
  readonly heardUs: number;
  readonly zone: TimeZone;
  retry(): void;
}

/** Says that what is shown is old. */
export function StaleBanner({ silentMs, heardUs, zone, retry }: StaleBannerProps) {
  const whole = Math.floor(silentMs / 1000) * 1_000_000;
  return (
    <section class="banner" aria-label="Connection">
      {/* Read out once: the seconds beside it are not. */}
      <span class="unseen" role="alert">
        No connection
      </span>
      <span>
        No connection for {durationText(whole)}. Values are from {timeOfDay(heardUs, zone)}.
      </span>
      <button type="button" onClick={retry}>
        Retry
      </button>
    </section>
  );
}
