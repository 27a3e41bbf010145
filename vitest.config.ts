import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Suites that start processes or compile, after the others. */
const SYSTEM_TESTS = ["test/{architecture,attacks,budgets,end-to-end,faults}/**/*.test.ts"];
/** Of these, boards under an emulator that each take a core while they run, and fall behind where there is none: at the end. */
const BOARD_TESTS = ["test/{end-to-end,faults}/**/{*firmware*,flash-board}.test.ts"];
const NEVER = ["**/node_modules/**", "**/dist/**", ".lockstep/**"];

/** The same order every time; vitest's own puts what failed or took long last time first. */
class PathOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.sort((a, b) => (a.moduleId < b.moduleId ? -1 : 1));
  }
}

export default defineConfig({
  test: {
    pool: "forks",
    retry: 0,
    sequence: { sequencer: PathOrder },
    projects: [
      {
        test: {
          name: "unit",
          include: ["**/*.test.ts"],
          exclude: [...NEVER, ...SYSTEM_TESTS],
          testTimeout: 30_000,
          // One more than there are cores: some wait for time-outs and servers of their own.
          maxWorkers: 1 + availableParallelism(),
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "system",
          include: SYSTEM_TESTS,
          exclude: [...NEVER, ...BOARD_TESTS],
          testTimeout: 180_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "boards",
          include: BOARD_TESTS,
          exclude: NEVER,
          testTimeout: 180_000,
          hookTimeout: 60_000,
          maxWorkers: 1,
          maxConcurrency: 2,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
