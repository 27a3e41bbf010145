import { expect, test } from "vitest";
import { ColumnArena } from "./column-arena.ts";

test("arrays in use share no memory, whatever was given back before", () => {
  const arena = new ColumnArena();
  const held = new Map<Float64Array, number>();
  for (let turn = 0; turn < 4_000; turn++) {
    const array = arena.take((turn * 7_919) % 30_000);
    array.fill(turn);
    held.set(array, turn);
    for (const [other, mark] of held) {
      if (held.size < 60) break;
      expect(other.every((value) => value === mark)).toBe(true);
      held.delete(other);
      arena.give(other);
    }
  }
  for (const [array, mark] of held) expect(array.every((value) => value === mark)).toBe(true);
});

test("memory that was given back is used again", () => {
  const arena = new ColumnArena();
  const blocks = new Set<ArrayBufferLike>();
  for (let frame = 0; frame < 200; frame++) {
    const columns = Array.from({ length: 5 }, () => arena.take(100_000 + frame));
    for (const { buffer } of columns) blocks.add(buffer);
    for (const column of columns) arena.give(column);
  }
  expect(blocks.size).toBeLessThan(5);
});

test("an array from elsewhere is left alone", () => {
  const arena = new ColumnArena();
  arena.give(new Float64Array(8));
  expect(arena.take(8).buffer).toBeInstanceOf(SharedArrayBuffer);
});
