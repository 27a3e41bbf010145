/**
 * Positions by what they have turned: value i is moved by turns[i] times an edge of the cell, where it has turned at all.
 *
 * @param values  f64, in place
 * @param turns  int32
 */
export function moveAlong(values: usize, turns: usize, count: i32, edge: f64): void {
  for (let i: usize = 0; i < <usize>count; i++) {
    const turn = load<i32>(turns + (i << 2));
    if (turn == 0) continue;
    const at = values + (i << 3);
    store<f64>(at, load<f64>(at) + <f64>turn * edge);
  }
}
