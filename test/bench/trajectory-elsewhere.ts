/**
 * Figures of peers that a benchmark cannot install, from an earlier measurement of the same runs: bounds of positions,
 * and how many times smaller than float32. MDZ in one batch; SZ3 in the better of two orders of its values; XTC of
 * GROMACS 2022.5 at half of each bound, as it rounds to decimals.
 */
type Published = Readonly<Record<string, readonly (readonly [eps: number, ratio: number])[]>>;

export const MDZ: Published = {
  "every 1": atBounds(30.0, 13.7, 4.31),
  "every 10": atBounds(9.6, 4.77, 2.86),
  "every 100": atBounds(5.5, 3.44, 1.39),
};

export const SZ3: Published = {
  "every 1": atBounds(10.2, 5.7, 3.2),
  "every 10": atBounds(6.2, 3.4, 2.1),
  "every 100": atBounds(4.4, 2.6, 1.3),
};

export const XTC: Published = {
  "every 1": atBounds(3.2, 2.4, 1.9),
  "every 10": atBounds(3.1, 2.4, 1.9),
  "every 100": atBounds(3.1, 2.3, 1.9),
};

function atBounds(wide: number, middle: number, narrow: number): Published[string] {
  return [
    [1e-2, wide],
    [1e-3, middle],
    [1e-4, narrow],
  ];
}
