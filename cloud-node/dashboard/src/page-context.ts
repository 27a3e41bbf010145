import { createContext } from "preact";
import type { Theme } from "./theme.ts";
import type { TimeZone } from "./time-text.ts";

/** What everything on the page depends on. */
export interface PageLook {
  readonly theme: Theme;
  readonly zone: TimeZone;
  readonly isPaused: boolean;
  /** Nothing was heard from the node for too long: what is shown is old. */
  readonly isStale: boolean;
}

/** How the page looks now. */
export const PageContext = createContext<PageLook>({
  theme: "system",
  zone: "local",
  isPaused: false,
  isStale: false,
});
