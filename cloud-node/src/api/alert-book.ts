import { ALERT_KINDS, type AlertKind } from "./alert-kinds.ts";

/** Trouble seen now: what it is, in one phrase. */
export type Troubles = ReadonlyMap<AlertKind, string>;

/** An alert that began or ended just now. */
export interface AlertChange {
  readonly kind: AlertKind;
  readonly text: string;
  readonly isOpen: boolean;
}

/** An open alert. */
export interface OpenAlert {
  readonly kind: AlertKind;
  readonly text: string;
  readonly sinceUs: number;
}

interface Entry {
  text: string;
  sinceUs: number;
  isOpen: boolean;
  /** When what is shown last stopped, or began, to be so; undefined while it agrees with what is seen. */
  changingUs: number | undefined;
}

/** Opens an alert after some time of trouble, and closes it after the same time without: neither flickers. */
export class AlertBook {
  readonly #entries = new Map<AlertKind, Entry>();

  /**
   * Take note of what is wrong now.
   *
   * @param holdUs  how long trouble must last, or be gone, before that is said
   * @returns what began or ended with this
   */
  update(troubles: Troubles, nowUs: number, holdUs: number): AlertChange[] {
    const changes: AlertChange[] = [];
    for (const kind of ALERT_KINDS) {
      const text = troubles.get(kind);
      const entry = this.#entries.get(kind);
      if (entry === undefined) {
        if (text !== undefined) {
          this.#entries.set(kind, { text, sinceUs: nowUs, isOpen: false, changingUs: nowUs });
        }
        continue;
      }
      if (text !== undefined) entry.text = text;
      if (!entry.isOpen && text === undefined) {
        this.#entries.delete(kind);
        continue;
      }
      if (entry.isOpen === (text !== undefined)) {
        entry.changingUs = undefined;
        continue;
      }
      entry.changingUs ??= nowUs;
      if (nowUs - entry.changingUs < holdUs) continue;
      entry.isOpen = !entry.isOpen;
      entry.changingUs = undefined;
      changes.push({ kind, text: entry.text, isOpen: entry.isOpen });
      if (!entry.isOpen) this.#entries.delete(kind);
    }
    return changes;
  }

  /** Worst first. */
  get open(): OpenAlert[] {
    return ALERT_KINDS.flatMap((kind) => {
      const entry = this.#entries.get(kind);
      return entry?.isOpen === true ? [{ kind, text: entry.text, sinceUs: entry.sinceUs }] : [];
    });
  }
}
