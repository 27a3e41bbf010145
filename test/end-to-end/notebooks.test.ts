import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { programPath, requires } from "../os-package.ts";

const FOLDER = fileURLToPath(new URL("../../docs/notebooks", import.meta.url));
const NAMES = ["01_entropy_reduction.ipynb", "02_error_bounds.ipynb", "03_convergence.ipynb"];
/** A notebook is read on a page, over any line. */
const MOST_BYTES = 100_000;
/** Their cells train, on a machine that does other things, too. */
const PATIENCE_MS = 300_000;
const run = promisify(execFile);

interface Cell {
  readonly cell_type: "code" | "markdown";
  readonly source: string | readonly string[];
  readonly execution_count?: number | null;
  readonly outputs?: readonly { readonly output_type: string; readonly text?: string | readonly string[] }[];
  readonly metadata: { readonly tags?: readonly string[] };
}

interface Notebook {
  readonly cells: readonly Cell[];
  readonly metadata: { readonly lockstep?: { readonly code_sha256: string } };
}

const read = (path: string): Notebook => JSON.parse(readFileSync(path, "utf8"));
const joined = (text: string | readonly string[] | undefined) => [text ?? ""].flat().join("");
const codeOf = ({ cells }: Notebook) => cells.filter(({ cell_type }) => cell_type === "code");
const printedBy = ({ outputs = [] }: Cell) => outputs.map(({ text }) => joined(text)).join("");
/** What cells print that do the same in the short form. */
const steadyOf = (notebook: Notebook) =>
  codeOf(notebook)
    .filter(({ metadata }) => metadata.tags?.includes("steady"))
    .map(printedBy);

test("there are three notebooks", () => {
  expect(readdirSync(FOLDER).filter((name) => name.endsWith(".ipynb"))).toEqual(NAMES);
});

describe.each(NAMES)("%s, as it is read without running it", (name) => {
  const notebook = read(join(FOLDER, name));

  test("was executed from its first cell to its last, from the code that it has, without an error", () => {
    const code = codeOf(notebook);
    expect(code.length).toBeGreaterThan(4);
    expect(code.map(({ execution_count }) => execution_count)).toEqual(code.map((_, k) => k + 1));
    const kinds = code.flatMap(({ outputs = [] }) => outputs.map(({ output_type }) => output_type));
    expect(kinds).toContain("display_data");
    expect(kinds).toContain("stream");
    expect(kinds).not.toContain("error");
    const digest = createHash("sha256");
    for (const { source } of code) digest.update(`${joined(source)}\0`);
    expect(notebook.metadata.lockstep?.code_sha256, "run docs/notebooks/execute.py").toBe(digest.digest("hex"));
  });

  test("is small, ends with a conclusion, and names no folder of whoever ran it", () => {
    expect(statSync(join(FOLDER, name)).size).toBeLessThan(MOST_BYTES);
    expect(joined(notebook.cells.at(-1)?.source)).toMatch(/^## Conclusion/);
    const printed = codeOf(notebook).map(printedBy).join("");
    expect(printed.length).toBeGreaterThan(200);
    expect(printed).not.toMatch(/\/(?:tmp|home|root|work)\//);
  });
});

requires("python3-notebook")("the notebooks, executed from clean in their short form", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "lockstep-notebooks-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(NAMES)(
    "%s: no cell fails, and what does not depend on the form is printed again",
    { timeout: PATIENCE_MS },
    async (name) => {
      await run(programPath("python3-notebook"), [join(FOLDER, "execute.py"), "--out", folder, join(FOLDER, name)], {
        env: {
          ...process.env,
          LOCKSTEP_QUICK: "1",
          PATH: [dirname(process.execPath), process.env.PATH ?? ""].join(delimiter),
          PYTHONDONTWRITEBYTECODE: "1",
          // What a person keeps for Python and Jupyter is not asked.
          IPYTHONDIR: join(folder, "ipython"),
          JUPYTER_CONFIG_DIR: join(folder, "jupyter"),
          TMPDIR: folder,
        },
      });
      const again = steadyOf(read(join(folder, name)));
      expect(again.length).toBeGreaterThan(1);
      expect(again).toEqual(steadyOf(read(join(FOLDER, name))));
    },
  );
});
