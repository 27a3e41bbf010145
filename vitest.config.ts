import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

// Programs and threads that tests start read their modules compiled, and stripped of types, from here; a changed file is
// compiled anew.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL(".lockstep/compile-cache", import.meta.url));
/** Two more than there are cores: files wait for time-outs and processes of their own for about half of their time. */
const WORKERS = 2 + availableParallelism();
/** Suites that start processes, compile or wait. */
const SYSTEM_TESTS = ["test/{architecture,attacks,budgets,end-to-end,faults}/**/*.test.ts"];
/** Of these, boards under an emulator that take half a core or more each, and fall behind where there is none: one in a file at a time. */
const BOARD_TESTS = ["test/{end-to-end,faults}/**/{*firmware*,flash-board}.test.ts"];
const NEVER = ["**/node_modules/**", "**/dist/**", ".lockstep/**"];

/**
 * The same order every time, by path, and the files of each project spread evenly over the run: what waits runs beside what
 * calculates, and boards seldom beside boards. `test/` comes first, because a long file at the end leaves cores idle.
 */
class EvenOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const key = ({ moduleId }: TestSpecification) => `${moduleId.includes("/test/") ? 0 : 1} ${moduleId}`;
    const byProject = Map.groupBy(
      files.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)),
      ({ project }) => project.name,
    );
    return [...byProject.values()]
      .flatMap((own) => own.map((file, place) => ({ file, at: (place + 0.5) / own.length })))
      .sort((a, b) => a.at - b.at)
      .map(({ file }) => file);
  }
}

export default defineConfig({
  test: {
    pool: "forks",
    retry: 0,
    sequence: { sequencer: EvenOrder },
    projects: [
      {
        test: {
          name: "unit",
          include: ["**/*.test.ts"],
          exclude: [...NEVER, ...SYSTEM_TESTS],
          // Reached only when something is broken, on a busy machine too.
          testTimeout: 120_000,
          hookTimeout: 60_000,
          maxWorkers: WORKERS,
        },
      },
      {
        test: {
          name: "system",
          include: SYSTEM_TESTS,
          exclude: [...NEVER, ...BOARD_TESTS],
          testTimeout: 180_000,
          hookTimeout: 60_000,
          maxWorkers: WORKERS,
        },
      },
      {
        test: {
          name: "boards",
          include: BOARD_TESTS,
          exclude: NEVER,
          testTimeout: 180_000,
          hookTimeout: 60_000,
          maxWorkers: WORKERS,
          maxConcurrency: 1,
        },
      },
    ],
  },
});
