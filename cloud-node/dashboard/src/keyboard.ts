/** A key of the page and what it does, as the list of keys shows them. */
export interface KeyHelp {
  readonly keys: string;
  readonly does: string;
}

/** Keys that work everywhere. */
export const PAGE_KEYS: readonly KeyHelp[] = [
  { keys: "?", does: "this list" },
  { keys: "/", does: "search devices" },
  { keys: "g f", does: "the fleet" },
  { keys: "g j", does: "the jobs" },
  { keys: "p", does: "pause everything, and go on" },
  { keys: "t", does: "theme: system, light, dark" },
  { keys: "u", does: "times local, or UTC" },
  { keys: "Esc", does: "back" },
];

/** Keys of the table. */
export const FLEET_KEYS: readonly KeyHelp[] = [
  { keys: "j k", does: "next, previous device" },
  { keys: "Enter", does: "open it" },
];

/** Keys of the list of jobs. */
export const JOB_KEYS: readonly KeyHelp[] = [
  { keys: "j k", does: "next, previous job" },
  { keys: "Enter", does: "show it in full" },
];

/** Keys of the lanes. */
export const PLOT_KEYS: readonly KeyHelp[] = [
  { keys: "← →", does: "cursor by a bucket, with Shift by ten" },
  { keys: "Home End", does: "cursor to the edges" },
  { keys: "PgUp PgDn", does: "earlier, later" },
  { keys: "+ −", does: "zoom at the cursor" },
  { keys: "Space", does: "begin a selection, end it" },
  { keys: "Enter", does: "zoom to the selection" },
  { keys: "[ ]", does: "previous, next event or gap" },
  { keys: "l", does: "live" },
  { keys: "e", does: "error lane, where the truth is known" },
  { keys: "d", does: "the same as a table" },
];

const STORAGE_KEY = "lockstep-keys";
/** Between the two keys of a pair. */
const PAIR_MS = 1500;

/** Whether single keys do something in this browser. */
export function areKeysOn(): boolean {
  return localStorage.getItem(STORAGE_KEY) !== "off";
}

/** Switch single keys on or off, and remember it. */
export function setKeysOn(areOn: boolean): void {
  localStorage.setItem(STORAGE_KEY, areOn ? "on" : "off");
}

/** Whether somebody is writing: keys are letters then. */
export function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("input, textarea, select, dialog[open]") !== null;
}

/**
 * Hear of keys pressed anywhere on the page. "g" waits for a second key, and the two come as one: "g f".
 *
 * @param press  @returns whether the key meant something
 * @returns ends it
 */
export function listenToKeys(press: (key: string) => boolean): () => void {
  let first: { readonly key: string; readonly atMs: number } | undefined;
  const onKey = (event: KeyboardEvent): void => {
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.defaultPrevented;
    if (!isPlain || !areKeysOn() || isWriting(event.target)) return;
    const isPair = first !== undefined && event.timeStamp - first.atMs < PAIR_MS;
    const key = isPair ? `${first?.key} ${event.key}` : event.key;
    first = event.key === "g" && !isPair ? { key: "g", atMs: event.timeStamp } : undefined;
    if (press(key)) event.preventDefault();
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}
