import type { TimeZone } from "./time-text.ts";

const STORAGE_KEY = "lockstep-zone";

/** Whose times this browser shows. */
export function storedZone(): TimeZone {
  return localStorage.getItem(STORAGE_KEY) === "utc" ? "utc" : "local";
}

/** Remember it. */
export function storeZone(zone: TimeZone): void {
  localStorage.setItem(STORAGE_KEY, zone);
}
