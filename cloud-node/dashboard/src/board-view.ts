import { isSameSpan, keptWithin, lengthUs, panned, spanBetween, type TimeSpan, zoomed } from "./time-span.ts";

/** Steps back that are remembered. */
const MAX_STEPS = 50;

/**
 * What a person looks at: the newest, or a stretch of the past; with the cursor, and what is selected. Only a person
 * changes it: no redraw ends a zoom, a drag or a selection.
 */
export class BoardView {
  readonly #changed: (isOther: boolean) => void;
  readonly #live: () => TimeSpan;
  #past: TimeSpan | undefined;
  #all: TimeSpan | undefined;
  #cursorUs: number | undefined;
  #anchorUs: number | undefined;
  #newestUs: number | undefined;
  readonly #steps: (TimeSpan | undefined)[] = [];

  /**
   * @param changed  told after every change, and whether another stretch is looked at
   * @param live  the stretch that ends now
   */
  constructor(changed: (isOther: boolean) => void, live: () => TimeSpan) {
    this.#changed = changed;
    this.#live = live;
  }

  get isLive(): boolean {
    return this.#past === undefined;
  }

  get span(): TimeSpan {
    return this.#past ?? this.#live();
  }

  /** The stretch of the past; undefined: live. */
  get past(): TimeSpan | undefined {
    return this.#past;
  }

  /** Device time at the cursor, µs; undefined: nobody points anywhere. */
  get cursorUs(): number | undefined {
    return this.#cursorUs;
  }

  /** What lies between where a selection was begun and the cursor. */
  get selection(): TimeSpan | undefined {
    if (this.#anchorUs === undefined || this.#cursorUs === undefined) return undefined;
    return spanBetween(this.#anchorUs, this.#cursorUs);
  }

  /** All that there is of the device; views keep near it. */
  set all(all: TimeSpan | undefined) {
    this.#all = all;
  }

  /** Device time of the newest sample, µs: where a cursor begins that was nowhere. */
  set newestUs(us: number) {
    this.#newestUs = us;
  }

  /** All that there is, up to what is shown now. */
  get all(): TimeSpan | undefined {
    if (this.#all === undefined) return undefined;
    return { fromUs: this.#all.fromUs, toUs: Math.max(this.#all.toUs, this.#live().toUs) };
  }

  /** Look at this. @param isStep  whether Esc comes back from it */
  look(span: TimeSpan | undefined, isStep = true): void {
    const all = this.all;
    const next = span === undefined || all === undefined ? span : keptWithin(span, all);
    if (isSameSpan(next, this.#past)) return;
    if (isStep) this.remember();
    this.#past = next;
    this.#changed(true);
  }

  /** Look at what an address asks for, also where there is nothing: that is said then. */
  open(span: TimeSpan): void {
    this.#past = span;
    this.#changed(true);
  }

  /** Come back to what is shown now, when Esc is pressed later. */
  remember(): void {
    this.#steps.push(this.#past);
    if (this.#steps.length > MAX_STEPS) this.#steps.shift();
  }

  zoom(factor: number, aboutUs = this.#cursorInView() ?? middleOf(this.span), isStep = true): void {
    this.look(zoomed(this.span, factor, aboutUs), isStep);
  }

  /** @param share  of what is shown; below 0: back in time */
  pan(share: number): void {
    this.look(panned(this.span, share * lengthUs(this.span)));
  }

  /** Give up a selection, or go back to what was shown before. @returns whether there was anything to go back to */
  back(): boolean {
    if (this.#anchorUs !== undefined) {
      this.#anchorUs = undefined;
      this.#changed(false);
      return true;
    }
    if (this.#steps.length === 0) return false;
    this.look(this.#steps.pop(), false);
    return true;
  }

  live(): void {
    this.#anchorUs = undefined;
    this.#cursorUs = undefined;
    this.look(undefined);
    this.#changed(false);
  }

  /** Point at an instant; undefined: point nowhere. */
  point(us: number | undefined): void {
    if (us === this.#cursorUs) return;
    this.#cursorUs = us;
    this.#changed(false);
  }

  /** Move the cursor by so much; it takes the view along at its edge. */
  step(byUs: number): void {
    // Buckets move under a cursor that stands still: whoever steps through them stops time.
    if (this.isLive) this.look(this.span);
    const { fromUs, toUs } = this.span;
    const from = this.#cursorInView() ?? Math.min(toUs, this.#newestUs ?? toUs);
    const to = this.all === undefined ? from + byUs : clamp(from + byUs, this.all.fromUs, this.all.toUs);
    this.#cursorUs = to;
    if (to < fromUs) this.look(panned(this.span, to - fromUs), false);
    else if (to > toUs) this.look(panned(this.span, to - toUs), false);
    else this.#changed(false);
  }

  /** Begin a selection at the cursor, or end it there and look at it. */
  select(): void {
    const selection = this.selection;
    if (selection === undefined) {
      if (this.isLive) this.look(this.span);
      this.#cursorUs ??= middleOf(this.span);
      this.#anchorUs = this.#cursorUs;
      this.#changed(false);
      return;
    }
    this.#anchorUs = undefined;
    this.look(selection);
  }

  /** Begin a selection here. */
  anchor(us: number | undefined): void {
    this.#anchorUs = us;
    this.#changed(false);
  }

  /** Look at an instant, from as near as now. */
  jump(us: number): void {
    const half = lengthUs(this.span) / 2;
    this.#cursorUs = us;
    this.look({ fromUs: Math.round(us - half), toUs: Math.round(us + half) });
  }

  #cursorInView(): number | undefined {
    const { fromUs, toUs } = this.span;
    const us = this.#cursorUs;
    return us !== undefined && us >= fromUs && us <= toUs ? us : undefined;
  }
}

function middleOf({ fromUs, toUs }: TimeSpan): number {
  return Math.round((fromUs + toUs) / 2);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
