import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildHdf5Filter } from "../../scripts/build-hdf5.js";
import { programPath, requires } from "../os-package.ts";
import { TypedGuide } from "./typed-guide.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const SIMD_CORE = here("../../cloud-node/build/trajectory.wasm");
const PAGE_BYTES = 65_536;
/** `valgrind` gives it for an error that it found. */
const FOUND = 99;
const VALGRIND = ["-q", `--error-exitcode=${FOUND}`, "--leak-check=full", "--errors-for-leak-kinds=definite"];
const FUZZ_ROUNDS = 2000;
const FUZZ_ROUNDS_LOOKED_AT = 40;

/** One dataset that was written and read. */
interface ShapeRow {
  readonly dtype: "f4" | "f8";
  readonly mode: "max" | "rms" | "once";
  /** In units of eps. */
  readonly worst: number;
  readonly rms: number;
  readonly ratio: number;
  readonly kept: string;
}

let plugin = "";
let folder = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-hdf5-"));
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true }));

/** Make the plugin; once. */
async function build(): Promise<string> {
  if (plugin === "") plugin = await buildHdf5Filter(join(folder, "plugin"));
  return join(plugin, "..");
}

function environment(): NodeJS.ProcessEnv {
  const path = join(plugin, "..");
  const python = [path, process.env.PYTHONPATH ?? ""].filter((part) => part !== "").join(delimiter);
  return { ...process.env, HDF5_PLUGIN_PATH: path, PYTHONPATH: python, PYTHONDONTWRITEBYTECODE: "1" };
}

/** @returns what the check printed */
function h5py(check: string, ...words: readonly string[]): unknown {
  const args = [here("./hdf5-filter.py"), check, folder, ...words];
  return JSON.parse(execFileSync(programPath("python3-h5py"), args, { env: environment(), encoding: "utf8" }));
}

function tool(name: "h5dump" | "h5repack", ...words: readonly string[]): string {
  return execFileSync(programPath(name), words, { env: environment(), encoding: "utf8", cwd: folder });
}

requires(
  "c-compiler",
  "make",
  "python3-h5py",
)("the HDF5 filter under h5py", () => {
  beforeAll(build, 120_000);

  test("float32 and float64 of one to four dimensions come back within eps, and take less", () => {
    const rows = h5py("shapes") as ShapeRow[];
    expect(rows).toHaveLength(42);
    for (const row of rows) {
      const { worst, rms, ratio, mode, dtype, kept } = row;
      expect(worst, JSON.stringify(row)).toBeLessThanOrEqual(1);
      expect(worst, JSON.stringify(row)).toBeGreaterThan(0.3);
      expect(ratio, JSON.stringify(row)).toBeGreaterThan(2);
      expect(kept).toBe(dtype === "f4" ? "float32" : "float64");
      if (mode === "rms") expect(rms, JSON.stringify(row)).toBeLessThan(0.5);
    }
  });

  test("the guide to trajectories from Python does what it says, in HDF5 and in containers", async () => {
    const guide = new TypedGuide("trajectories-from-python", environment(), programPath("python3-h5py"));
    try {
      const printed = guide.blocks("");
      const [sizes = "", walk = ""] = await Promise.all(
        ["crystal", "dumps"].map((name) => guide.type(`python3 ${name}.py`)),
      );
      // Sines differ by a bit between libraries, and sizes by some bytes: text is as it is shown, numbers nearly.
      for (const [said, shown = ""] of [
        [sizes, printed[0]],
        [walk, printed[1]?.replace(/in [\d.]+ s.*/, "")],
      ] as const) {
        const [found, expected] = [said.replace(/in [\d.]+ s.*/, ""), shown].map((text) =>
          text.trim().split(/[\s,;:×]+/),
        );
        expect(found?.length, said).toBe(expected?.length);
        expected?.forEach((word, i) => {
          const value = Number(word);
          if (Number.isNaN(value)) expect(found?.[i], said).toBe(word);
          else expect(Math.abs(Number(found?.[i]) / value - 1), `${word} in ${said}`).toBeLessThan(0.02);
        });
      }
      expect(await guide.type("npx lockstep trajectory info walk.lkt")).toContain("frames   60");
    } finally {
      await guide.close();
    }
  });

  test("a part is read as it is in the whole, and chunks at the ends are as good as others", () => {
    const { worst, same } = h5py("partial") as { worst: number; same: boolean[] };
    expect(worst).toBeLessThanOrEqual(1);
    expect(same).toEqual([true, true, true, true, true]);
  });

  test("frames that are added one after the other to a chunk of a closed file are within eps, by default", () => {
    const { chunk, openings, worst, ratio } = h5py("append") as {
      chunk: number[];
      openings: number;
      worst: { max: number; once: number };
      ratio: number;
    };
    expect(chunk).toEqual([128, 50, 3]);
    expect(worst.max).toBeLessThanOrEqual(1);
    expect(worst.max).toBeGreaterThan(0.3);
    expect(ratio).toBeGreaterThan(4);
    /* As the guide has it: another eps at most for each time. */
    expect(worst.once).toBeGreaterThan(1);
    expect(worst.once).toBeLessThanOrEqual(openings);
  });

  test("what was read and is written again is the same bit by bit, whatever changes beside it", () => {
    const found = h5py("again") as Record<
      string,
      { worst: number; kept: boolean; otherChunks: boolean; ratio: number }
    >;
    expect(found.edge?.worst).toBeLessThanOrEqual(1);
    for (const dtype of ["f4", "f8"]) {
      expect(found[dtype], dtype).toMatchObject({ kept: true, otherChunks: true });
      expect(found[dtype]?.worst, dtype).toBeLessThanOrEqual(1);
      expect(found[dtype]?.ratio, dtype).toBeGreaterThan(1.5);
    }
  });

  test("what no bound can be kept for is kept bit by bit", () => {
    const { constant, tiny, zero, one, ...others } = h5py("odd") as Record<string, string | number>;
    const { "scalar frames": series, ...kept } = others;
    expect(kept).toEqual({ nan: "same", infinite: "same", huge: "same", filled: "same" });
    for (const value of [constant, tiny, zero, one, series]) {
      if (value !== "same") expect(value).toBeLessThanOrEqual(1);
    }
  });

  test("what the filter cannot do is refused, with the reason, and no dataset is made", () => {
    const said = h5py("refusals") as Record<string, string>;
    const reasons: Record<string, RegExp> = {
      integers: /little-endian float32 and float64/,
      "big-endian": /little-endian float32 and float64/,
      half: /little-endian float32 and float64/,
      shuffled: /first filter/,
      "no options": /two or three options/,
      "five options": /two or three options/,
      mode: /mode/,
      "eps 0": /eps must be above 0/,
      "eps -1": /eps must be above 0/,
      "eps NaN": /eps must be above 0/,
      "eps infinite": /eps must be above 0/,
      "five dimensions": /one to four dimensions/,
      "a large frame": /67,108,864/,
      "{'eps': 0}": /eps must be above 0/,
      "{'eps': -1}": /eps must be above 0/,
      "{'eps': nan}": /eps must be above 0/,
      "{'eps': inf}": /eps must be above 0/,
      "{'eps': 1, 'mode': 'mean'}": /mode must be one of max, rms/,
    };
    expect(Object.keys(said)).toEqual(Object.keys(reasons));
    for (const [name, reason] of Object.entries(reasons)) {
      expect(said[name], name).toMatch(reason);
      expect(said[name], name).not.toMatch(/and made$/);
    }
  });

  test("a damaged chunk is an error that says so, and the library goes on", () => {
    const { read, said, worst } = h5py("damage") as { read: number; said: Record<string, number>; worst: number };
    expect(worst).toBeLessThanOrEqual(1);
    expect(read).toBe(0);
    expect(Object.values(said).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(250);
    for (const line of Object.keys(said)) expect(line).toMatch(/lockstep trajectory filter: a chunk (is|has) /);
  });

  test("the blocks in a chunk are those of the module with SIMD", () => {
    h5py("write");
    for (const name of ["coded", "rough"]) {
      const decoded = decodeChunk(readFileSync(join(folder, `${name}.chunk`)));
      expect(decoded.frames, name).toBe(45);
      expect(decoded.values.equals(readFileSync(join(folder, `${name}.values`))), name).toBe(true);
    }
  });
});

requires(
  "c-compiler",
  "make",
  "python3-h5py",
  "h5dump",
  "h5repack",
)("the HDF5 filter under HDF5's own tools", () => {
  beforeAll(async () => {
    await build();
    h5py("write");
  }, 120_000);

  test("h5dump says what it is, and reads what h5py reads", () => {
    const header = tool("h5dump", "-pH", "coded.h5");
    expect(header).toMatch(/FILTER_ID 480/);
    expect(header).toMatch(/lockstep trajectory/);
    tool("h5dump", "-d", "/x", "-b", "LE", "-o", "dumped.bin", "coded.h5");
    const dumped = readFileSync(join(folder, "dumped.bin"));
    expect(dumped.length).toBe(90 * 40 * 3 * 4);
    expect(dumped.equals(readFileSync(join(folder, "values.bin")))).toBe(true);
  });

  test("h5repack puts it on and takes it off, and gives it other chunks", () => {
    const option = execFileSync(programPath("python3-h5py"), ["-m", "lockstep_h5", "--eps", "1e-3"], {
      env: environment(),
      encoding: "utf8",
    }).trim();
    tool("h5repack", "-f", option, "plain.h5", "in.h5");
    tool("h5repack", "-f", "NONE", "in.h5", "out.h5");
    tool("h5repack", "-l", "/x:CHUNK=30x20x3", "coded.h5", "other.h5");
    const made = h5py("read", "in.h5", "out.h5", "other.h5") as Record<
      string,
      { worst: number; ratio: number; filters: number[]; chunks: number[] }
    >;
    expect(made["in.h5"]).toMatchObject({ filters: [480], chunks: [45, 40, 3] });
    expect(made["out.h5"]).toMatchObject({ filters: [] });
    expect(made["other.h5"]).toMatchObject({ filters: [480], chunks: [30, 20, 3] });
    expect(made["in.h5"]?.worst).toBeLessThanOrEqual(1);
    expect(made["in.h5"]?.ratio).toBeGreaterThan(2);
    expect(made["out.h5"]?.worst).toEqual(made["in.h5"]?.worst);
    expect(made["other.h5"]?.worst).toEqual(made["in.h5"]?.worst);
    expect(made["other.h5"]?.ratio).toBeGreaterThan(2);
  });
});

requires(
  "c-compiler",
  "make",
  "valgrind",
)("the HDF5 filter on chunks that nobody wrote", () => {
  let program = "";
  beforeAll(async () => {
    const include = await build();
    program = join(folder, "hdf5-chunks");
    const sources = ["-std=gnu99", "-g", "-O1", "-Wall", "-Wextra", "-Werror", `-I${include}`, here("./hdf5-chunks.c")];
    execFileSync(programPath("c-compiler"), [...sources, "-o", program, "-lm", "-ldl"]);
  }, 120_000);

  test("gives a whole chunk or an error, thousands of times", () => {
    const { status, stderr } = spawnSync(program, [plugin, String(FUZZ_ROUNDS)], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  test("reads and writes no memory but its own, and leaves none behind", () => {
    const args = [...VALGRIND, program, plugin, String(FUZZ_ROUNDS_LOOKED_AT)];
    const { status, stderr } = spawnSync(programPath("valgrind"), args, { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});

requires(
  "c-compiler",
  "make",
  "python3-h5py",
  "h5dump",
  "valgrind",
)("the HDF5 filter in h5dump under valgrind", () => {
  test("is as clean", async () => {
    await build();
    h5py("write");
    const args = [...VALGRIND, "--leak-check=no", programPath("h5dump"), "-d", "/x", "-b", "LE", "-o", "seen.bin"];
    const { status, stderr } = spawnSync(programPath("valgrind"), [...args, "coded.h5"], {
      env: environment(),
      encoding: "utf8",
      cwd: folder,
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(readdirSync(folder)).toContain("seen.bin");
  });
});

/** A chunk of one block of float32, by the module that Node uses. */
function decodeChunk(chunk: Buffer): { frames: number; values: Buffer } {
  expect(chunk.toString("latin1", 0, 4)).toBe("LKH1");
  const [axes, frames, atoms] = [chunk.readUInt8(9), chunk.readUInt32LE(20), chunk.readUInt32LE(16)];
  const bytes = chunk.readUInt32LE(24);
  const unit = chunk.readDoubleLE(28);
  expect(chunk.length).toBe(36 + bytes);
  const core = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(SIMD_CORE))).exports;
  const memory = core.memory as WebAssembly.Memory;
  const call = (name: string, ...numbers: number[]) => (core[name] as (...numbers: number[]) => number)(...numbers);
  const stride = call("strideOf", axes, atoms);
  const [coded, plane] = [call("heapStart"), call("heapStart") + ((bytes + 127) & ~15)];
  const back = plane + 4 * frames * stride;
  const work = back + 4 * axes * atoms + 64;
  memory.grow(Math.ceil((work + call("workBytes", frames, axes, atoms)) / PAGE_BYTES));
  new Uint8Array(memory.buffer).set(chunk.subarray(36), coded);
  expect(call("decodeBlock", coded, bytes, frames, axes, atoms, plane, 0, 0, work)).toBe(0);
  const values = Buffer.alloc(4 * frames * atoms * axes);
  for (let frame = 0; frame < frames; frame++) {
    call("fromFixed", plane + 4 * frame * stride, axes * atoms, 4, unit, back);
    const view = Buffer.from(memory.buffer, back, 4 * axes * atoms);
    for (let axis = 0; axis < axes; axis++) {
      for (let atom = 0; atom < atoms; atom++) {
        view.copy(
          values,
          4 * ((frame * atoms + atom) * axes + axis),
          4 * (axis * atoms + atom),
          4 * (axis * atoms + atom + 1),
        );
      }
    }
  }
  return { frames, values };
}
