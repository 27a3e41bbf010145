import { floorDivide } from "./fixed-point";

/**
 * What an encoder has decided about the lines of the block in hand; without a planner, as in `device.wasm`, there is no
 * plan and nothing of this remains. One entry per channel, then lines in order, each channel's ended by its block:
 *
 *     entry    cursor (address of the next line), its first place, mode (0 predicted, 1 lines), rows for which the
 *              open line goes on
 *     line     rows, value at the first row, value at the last row
 */
export const PLAN_ENTRY_BYTES: usize = 16;
export const PLAN_CURSOR: usize = 0; // u32
export const PLAN_FIRST: usize = 4; // u32
export const PLAN_MODE: usize = 8; // u32
export const PLAN_OPEN_ROWS: usize = 12; // u32
export const PLAN_LINE_BYTES: usize = 12;
export const PLAN_ROWS: usize = 0; // u32
export const PLAN_FROM: usize = 4; // i32
export const PLAN_TO: usize = 8; // i32

let plan: usize = 0;
let line: usize = 0;

/** Let the encoder follow the plan at this address; 0 for none. */
export function followPlan(at: usize): void {
  plan = at;
}

function entryOf(c: i32): usize {
  return plan + PLAN_ENTRY_BYTES * <usize>c;
}

/** Are the channel's samples to lie on lines? */
export function plannedMode(c: i32): bool {
  return plan != 0 && load<u32>(entryOf(c), PLAN_MODE) != 0;
}

/** Rows for which the channel's open line is to go on, 0 if it is to end. */
export function plannedRowsOfOpen(c: i32): u32 {
  return plan != 0 ? load<u32>(entryOf(c), PLAN_OPEN_ROWS) : 0;
}

/** Take the channel's next line in hand. */
export function planNextLine(c: i32): void {
  if (plan == 0) return;
  const entry = entryOf(c);
  line = <usize>load<u32>(entry, PLAN_CURSOR);
  store<u32>(entry, <u32>(line + PLAN_LINE_BYTES), PLAN_CURSOR);
}

/** Rows of the line in hand. */
export function plannedRows(): u32 {
  return plan != 0 ? load<u32>(line, PLAN_ROWS) : 1;
}

/** Steps of the grid from `base` to its first value; a plan's values are on the grid. Range: |base| < 2^31. */
export function plannedStart(base: i64, grid: i64): i64 {
  return plan != 0 ? floorDivide(load<i32>(line, PLAN_FROM) - base, grid) : 0;
}

/** And from there to its last one. */
export function plannedSlope(grid: i64): i64 {
  return plan != 0 ? floorDivide(<i64>load<i32>(line, PLAN_TO) - load<i32>(line, PLAN_FROM), grid) : 0;
}
