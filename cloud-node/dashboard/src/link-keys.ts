import { useEffect } from "preact/hooks";
import { listenToKeys } from "./keyboard.ts";

/** `j` and `k` move between the links of a list. @param links  what finds them, in their order */
export function useKeysBetween(links: string): void {
  useEffect(
    () =>
      listenToKeys((key) => {
        const step = key === "j" ? 1 : key === "k" ? -1 : 0;
        if (step === 0) return false;
        const all = [...document.querySelectorAll<HTMLElement>(links)];
        const at = all.indexOf(document.activeElement as HTMLElement);
        const next = at === -1 ? (step === 1 ? 0 : all.length - 1) : at + step;
        all[next]?.focus();
        return true;
      }),
    [links],
  );
}
