import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { fileInput, readDump, type TrajectoryFrame } from "@lockstep/cloud-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LockstepProcess, runLockstep, runLockstepOn } from "./lockstep-process.ts";
import { meltDump } from "./melt-dump.ts";

const LAUNCHER = fileURLToPath(new URL("../../cloud-node/bin/lockstep.js", import.meta.url));
const MELT = meltDump({ atoms: 120, frames: 40, hasWords: true });
const BOUNDS = "x=1e-3,v=1e-2,c_pe=0.01";
const EPS: Readonly<Record<string, number>> = {
  ...{ x: 1e-3, y: 1e-3, z: 1e-3, vx: 1e-2, vy: 1e-2, vz: 1e-2, c_pe: 0.01 },
};

let folder = "";
const at = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-trajectory-"));
  writeFileSync(at("melt.dump"), MELT);
});
afterAll(() => rmSync(folder, { recursive: true }));

const trajectory = (...args: string[]) => runLockstep("trajectory", ...args);

async function json(...args: string[]) {
  const { code, stdout, stderr } = await trajectory(...args, "--json");
  expect(code, stderr).toBe(0);
  expect(stdout.trimEnd().split("\n")).toHaveLength(1);
  return JSON.parse(stdout);
}

/** Rows by id: every number, and the words. */
function rowsOf({ columns, ids }: TrajectoryFrame): Map<number, Map<string, number | string>> {
  return new Map(
    Array.from(ids ?? [], (id, row) => [
      id,
      new Map(
        columns.map((column) => [
          column.name,
          column.kind === "text" ? (column.words[column.codes[row] ?? 0] ?? "") : (column.values[row] ?? Number.NaN),
        ]),
      ),
    ]),
  );
}

async function framesOf(path: string): Promise<TrajectoryFrame[]> {
  const frames: TrajectoryFrame[] = [];
  for await (const frame of readDump([fileInput(path)])) frames.push(frame);
  return frames;
}

async function expectWithin(copy: string, source: string): Promise<void> {
  const [found, frames] = [await framesOf(copy), await framesOf(source)];
  expect(found.map(({ step }) => step)).toEqual(frames.map(({ step }) => step));
  for (const [i, frame] of frames.entries()) {
    const back = rowsOf(found[i] as TrajectoryFrame);
    for (const [id, row] of rowsOf(frame)) {
      for (const [name, value] of row) {
        const other = back.get(id)?.get(name);
        const eps = EPS[name];
        if (eps === undefined) expect(other, name).toBe(value);
        else if (!(Math.abs(Number(other) - Number(value)) <= eps)) expect([name, id, other]).toEqual(value);
      }
    }
  }
}

test("a dump is packed, told about, held against its source, and given back with no more digits than its bounds need", async () => {
  const packed = await json("pack", at("melt.dump"), at("melt.lkt"), "--eps", BOUNDS);
  expect(packed).toMatchObject({ frames: 40, atoms: 120, textBytes: MELT.length, isAppended: false });
  expect(packed.packedBytes).toBe(statSync(at("melt.lkt")).size - magicBytes());
  expect(packed.ratio).toBeCloseTo(MELT.length / packed.packedBytes, 9);
  expect(packed.ratio).toBeGreaterThan(5);
  expect(packed.maxErrorOverEps).toBeLessThanOrEqual(1);
  const bound = packed.bounds.find(({ columns }: { columns: string[] }) => columns[0] === "x");
  expect(bound).toMatchObject({ columns: ["x", "y", "z"], mode: "max", eps: 1e-3 });

  const info = await json("info", at("melt.lkt"));
  expect(info).toMatchObject({ frames: 40, chunks: 1, atoms: [120, 120], steps: ["0", "390"], isFinished: true });
  const parts = info.groups.map(({ bytes }: { bytes: number }) => bytes);
  const sum = parts.reduce((total: number, bytes: number) => total + bytes, info.headBytes + info.otherBytes);
  expect(sum).toBe(statSync(at("melt.lkt")).size);
  expect(Math.min(...parts, info.headBytes, info.otherBytes)).toBeGreaterThan(0);

  const verified = await json("verify", at("melt.dump"), at("melt.lkt"), "--lj");
  expect(verified).toMatchObject({ holds: true, frames: 40, problems: [] });
  for (const { column, maxErrorOverEps, rmsErrorOverEps } of verified.columns) {
    expect([column, maxErrorOverEps === null]).toEqual([column, EPS[column] === undefined]);
    if (maxErrorOverEps !== null) expect(rmsErrorOverEps).toBeLessThan(maxErrorOverEps);
  }
  expect(verified.energy.frames).toBe(40);
  expect(verified.energy.potentialPerAtom).toBeGreaterThan(0);

  const unpacked = await json("unpack", at("melt.lkt"), at("back.dump"));
  expect(unpacked).toMatchObject({ frames: 40, lost: 0, textBytes: statSync(at("back.dump")).size });
  await expectWithin(at("back.dump"), at("melt.dump"));
  expect(readFileSync(at("back.dump"), "utf8").length).toBeLessThan(1.2 * MELT.length);
  const again = await json("verify", at("melt.dump"), at("back.dump"), "--eps", BOUNDS);
  expect(again.holds).toBe(true);
});

/** Magic, version, name of the writer and checksum: what a container has before anything is packed. */
function magicBytes(): number {
  return readFileSync(at("melt.lkt")).indexOf("CHNK");
}

test("several files, compressed or piped in, are one trajectory, the same with any number of threads", async () => {
  const halves = [meltDump({ atoms: 60, frames: 12 }), meltDump({ atoms: 60, frames: 12, first: 12 })];
  writeFileSync(at("whole.dump"), halves.join(""));
  writeFileSync(at("half1.dump.gz"), gzipSync(halves[0] ?? ""));
  writeFileSync(at("half2.dump.zst"), zstdCompressSync(halves[1] ?? ""));
  const common = ["--eps", "x=1e-3", "--chunk", "5"];
  await json("pack", at("whole.dump"), at("whole.lkt"), ...common, "--threads", "1");
  await json("pack", at("half1.dump.gz"), at("half2.dump.zst"), at("halves.lkt"), ...common, "--threads", "3");
  expect(readFileSync(at("halves.lkt"))).toEqual(readFileSync(at("whole.lkt")));
  const piped = await runLockstepOn(
    gzipSync(halves.join("")),
    ...["trajectory", "pack", "-", at("piped.lkt"), ...common, "--threads", "2"],
  );
  expect(piped.code, piped.stderr).toBe(0);
  expect(piped.stdout).toContain("smaller than text");
  expect(piped.stdout).toContain("  x y z: within 0.001\n");
  expect(piped.stdout).toContain("  type: as it was");
  expect(readFileSync(at("piped.lkt"))).toEqual(readFileSync(at("whole.lkt")));
});

test("frames are added with the bounds that the container has, or with others", async () => {
  const parts = [0, 8, 16].map((first) => meltDump({ atoms: 40, frames: 8, first }));
  for (const [i, part] of parts.entries()) writeFileSync(at(`part${i}.dump`), part);
  await json("pack", at("part0.dump"), at("grown.lkt"), "--eps", "x=0.004,v=0.03", "--rms");
  // Left behind by a process that is no more: no system gives numbers as large.
  writeFileSync(at("grown.lkt.lock"), "2147483647\n");
  const added = await json("pack", at("part1.dump"), at("grown.lkt"), "--append");
  expect(readdirSync(folder)).not.toContain("grown.lkt.lock");
  expect(added).toMatchObject({ frames: 8, isAppended: true });
  expect(added.bounds.map(({ columns, eps, mode }: Record<string, unknown>) => [columns, eps, mode])).toEqual([
    [["vx", "vy", "vz"], 0.03, "rms"],
    [["x", "y", "z"], 0.004, "rms"],
    [["type"], 0, "exact"],
  ]);
  await json("pack", at("part2.dump"), at("grown.lkt"), "--append", "--eps", "x=0.001");
  const names = ["part0.dump", "part1.dump", "part2.dump"].map(at);
  expect(await json("verify", ...names, at("grown.lkt"))).toMatchObject({ holds: true, frames: 24 });
  const info = await json("info", at("grown.lkt"));
  expect(info.chunks).toBe(3);
  const ofPositions = info.groups.filter(({ columns }: { columns: string[] }) => columns[0] === "x");
  expect(ofPositions).toMatchObject([
    { mode: "rms", eps: [0.004, 0.004] },
    { mode: "max", eps: [0.001, 0.001] },
  ]);
});

test("what is replaced, and what is cut off before frames are added, is told", async () => {
  const out = at("told.lkt");
  const first = await trajectory("pack", at("melt.dump"), out, "--chunk", "10");
  expect([first.code, first.stderr]).toEqual([0, ""]);
  const again = await trajectory("pack", at("melt.dump"), out, "--chunk", "10");
  expect([again.code, again.stderr]).toEqual([0, `${out}: replaced the container that was there\n`]);
  const whole = readFileSync(out);
  writeFileSync(out, whole.subarray(0, whole.length - 700));
  const more = await trajectory("pack", at("melt.dump"), out, "--append");
  expect(more.code, more.stderr).toBe(0);
  expect(more.stderr).toMatch(/cut off bytes \d+ to \d+, behind its 30 whole frames: /);
});

test("velocities that begin as zeros have no bound from them: they are kept until they move, and within one from there", async () => {
  const frames = [0, 0, 1, 2].map((speed, t) => {
    const rows = Array.from(
      { length: 50 },
      (_, i) => `${i + 1} ${[3, 5, 7].map((k) => speed * 1e-4 * Math.sin(k * i + t)).join(" ")}`,
    );
    const box = "ITEM: BOX BOUNDS pp pp pp\n0 9\n0 9\n0 9\n";
    return `ITEM: TIMESTEP\n${t}\nITEM: NUMBER OF ATOMS\n50\n${box}ITEM: ATOMS id vx vy vz\n${rows.join("\n")}\n`;
  });
  writeFileSync(at("rest.dump"), frames.join(""));
  const { bounds } = await json("pack", at("rest.dump"), at("rest.lkt"), "--chunk", "2");
  expect(bounds).toMatchObject([{ mode: "exact" }, { mode: "max", eps: expect.closeTo(0.7e-6, 7) }]);
  const verified = await json("verify", at("rest.dump"), at("rest.lkt"));
  expect(verified.holds).toBe(true);
});

test("frames and columns are given back alone, on standard output too", async () => {
  const { code, stdout } = await trajectory("unpack", at("melt.lkt"), "--frames", "-3:", "--columns", "id,x,element");
  expect(code).toBe(0);
  expect([...stdout.matchAll(/TIMESTEP\n(\d+)/g)].map(([, step]) => step)).toEqual(["370", "380", "390"]);
  expect(stdout).toContain("ITEM: ATOMS id x element\n1 ");
  const thin = await trajectory("unpack", at("melt.lkt"), "-", "--frames", "1:30:14", "--columns", "c_pe");
  expect([...thin.stdout.matchAll(/TIMESTEP\n(\d+)/g)].map(([, step]) => step)).toEqual(["10", "150", "290"]);
});

test("rows come back in the dump's order where that is kept", async () => {
  await json("pack", at("melt.dump"), at("order.lkt"), "--keep-order");
  await json("unpack", at("order.lkt"), at("order.dump"), "--columns", "id,type");
  const [found, source] = [await framesOf(at("order.dump")), await framesOf(at("melt.dump"))];
  expect(found.map(({ ids }) => ids)).toEqual(source.map(({ ids }) => ids));
});

describe("bad input", () => {
  test("a dump that is cut off is packed up to there, and the error says where", async () => {
    const cut = MELT.slice(0, Math.floor(MELT.length * 0.6));
    writeFileSync(at("cut.dump"), cut);
    const { code, stdout, stderr } = await trajectory("pack", at("cut.dump"), at("cut.lkt"), "--json");
    expect(code).toBe(1);
    const told = JSON.parse(stdout);
    expect(told.error).toMatchObject({ code: "truncated", file: at("cut.dump"), line: expect.any(Number) });
    expect(told.frames).toBeGreaterThan(20);
    expect(stderr).toMatch(/cut\.dump, line \d+.*: \d+ frames in front of it are packed\n$/);
    expect((await json("info", at("cut.lkt"))).frames).toBe(told.frames);
  });

  test("whatever is no dump, no container, or not there is refused in one line, and nothing is written", async () => {
    writeFileSync(at("empty"), "");
    writeFileSync(at("noise"), Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251)));
    const out = at("none.lkt");
    for (const [args, code, part] of [
      [["pack", at("empty"), out], 1, "empty"],
      [["pack", at("noise"), out], 1, "noise, line 1"],
      [["pack", at("absent"), out], 1, "absent: there is no such file"],
      [["pack", folder, out], 1, "is a folder"],
      [["pack", at("melt.dump"), join(folder, "no", "x.lkt")], 1, "make it first"],
      [["pack", at("melt.dump")], 2, "name the dumps, and then the container"],
      [["pack", at("melt.dump"), at("cut.dump")], 2, "cut.dump is there and is no container"],
      [["pack", at("melt.dump"), at("melt.dump")], 2, "is the file to read"],
      [["pack", at("melt.dump"), "-"], 2, "name a file for it"],
      [["pack", "-", "-", out], 2, "give - once"],
      [["pack", at("melt.dump"), out, "--append"], 1, "leave out --append"],
      [["pack", at("melt.dump"), at("noise"), "--append"], 1, "no trajectory container"],
      [["pack", at("melt.dump"), out, "--eps", "x"], 2, '"x" is no bound'],
      [["pack", at("melt.dump"), out, "--eps", "x=-1"], 2, '"x=-1" is no bound'],
      [["pack", at("melt.dump"), out, "--eps", "w=1"], 2, "there is no column w to have a bound"],
      [["pack", at("melt.dump"), out, "--eps", "vy=1"], 2, "give v=BOUND"],
      [["pack", at("melt.dump"), out, "--eps", "element=1"], 2, "element holds words"],
      [["pack", at("melt.dump"), out, "--threads", "0"], 2, "from 1 to 64|a whole number"],
      [["pack", at("melt.dump"), out, "--chunk", "1025"], 2, "from 1 to 1024"],
      [["unpack", at("melt.dump"), at("none.dump")], 1, "no trajectory container"],
      [["unpack", at("absent"), at("none.dump")], 1, "absent"],
      [["unpack", at("melt.lkt"), at("none.dump.gz")], 2, "pipe into a compressor"],
      [["unpack", at("melt.lkt"), "--json"], 2, "name a file for the dump"],
      [["unpack", at("melt.lkt"), at("none.dump"), "--columns", "q"], 1, "there is no column q"],
      [["unpack", at("melt.lkt"), at("none.dump"), "--frames", "40:"], 1, "none of its 40 frames"],
      [["unpack", at("melt.lkt"), at("none.dump"), "--frames", "1:2:0"], 2, "FROM:TO"],
      [["info", at("melt.dump")], 1, "no trajectory container"],
      [["verify", at("melt.lkt")], 2, "the copy to hold against them"],
      [["verify", at("melt.dump"), at("melt.lkt"), "--eps", "x=1"], 2, "leave out --eps"],
      [["verify", at("melt.dump"), at("melt.lkt"), "--lj=-1"], 2, "a number > 0"],
    ] as const) {
      const before = readdirSync(folder).toSorted();
      const found = await trajectory(...args);
      expect([args, found.code, found.stderr]).toEqual([args, code, expect.stringMatching(part)]);
      expect(found.stderr.trimEnd().split("\n")).toHaveLength(1);
      expect(found.stdout).toBe("");
      expect(readdirSync(folder).toSorted()).toEqual(before);
    }
    expect(readFileSync(at("melt.dump"), "utf8")).toBe(MELT);
  });

  test("a copy that is not within its bounds, or has other frames, is found", async () => {
    const lines = MELT.split("\n");
    const row = lines.findIndex((line) => line.startsWith("5 "));
    const cells = (lines[row] ?? "").split(" ");
    cells[2] = String(Number(cells[2]) + 0.01);
    writeFileSync(at("other.dump"), lines.with(row, cells.join(" ")).join("\n"));
    const { code, stdout, stderr } = await trajectory("verify", at("other.dump"), at("melt.lkt"), "--json");
    expect(code).toBe(1);
    expect(stderr).toContain("is not what it promises: see x above");
    const { holds, columns } = JSON.parse(stdout);
    expect(holds).toBe(false);
    const broken = columns.filter((column: { broken: number }) => column.broken > 0);
    expect(broken).toMatchObject([{ column: "x", broken: 1, firstBroken: { frame: 0, id: 5 } }]);
    const short = await trajectory("verify", at("cut.dump"), at("melt.lkt"));
    expect(short.code).toBe(1);
    const long = await trajectory("verify", at("melt.dump"), at("melt.dump"), at("melt.lkt"));
    expect([long.code, long.stdout]).toEqual([1, expect.stringContaining("the source goes on after 40 frames")]);
  });

  test.skipIf(process.platform === "win32")(
    "an output that there is no room for leaves nothing, and is named",
    async () => {
      await json("pack", at("melt.dump"), at("room.lkt"), "--chunk", "10");
      const before = readFileSync(at("room.lkt"));
      const names = readdirSync(folder).toSorted();
      for (const args of [
        ["pack", at("melt.dump"), at("no-room.lkt")],
        ["pack", at("melt.dump"), at("room.lkt"), "--append"],
        ["unpack", at("room.lkt"), at("no-room.dump")],
      ]) {
        // Files may grow to 8 blocks of 512 bytes more than they have.
        const blocks = args.includes("--append") ? Math.ceil(before.length / 512) + 8 : 8;
        const script = `ulimit -f ${blocks}; exec "$@"`;
        const child = spawn("sh", ["-c", script, "sh", process.execPath, LAUNCHER, "trajectory", ...args], {
          stdio: ["ignore", "ignore", "pipe"],
        });
        const [said, [code]] = await Promise.all([text(child.stderr), once(child, "close")]);
        expect([code, said]).toEqual([1, expect.stringMatching(/cannot be written \(.*\): make room there/)]);
        expect(said).toContain(args.includes("--append") ? "room.lkt" : "no-room.");
      }
      expect(readFileSync(at("room.lkt"))).toEqual(before);
      expect(readdirSync(folder).toSorted()).toEqual(names);
    },
  );

  test("a damaged chunk costs its own frames and no others", async () => {
    await json("pack", at("melt.dump"), at("damaged.lkt"), "--chunk", "10");
    const bytes = readFileSync(at("damaged.lkt"));
    const second = bytes.indexOf("CHNK", bytes.indexOf("CHNK") + 1);
    bytes.writeUInt8((bytes[second + 60] ?? 0) ^ 1, second + 60);
    writeFileSync(at("damaged.lkt"), bytes);
    const found = await trajectory("unpack", at("damaged.lkt"), at("left.dump"), "--json");
    expect(found.code).toBe(1);
    expect(JSON.parse(found.stdout)).toMatchObject({ frames: 30, lost: 10, error: { code: "bad-chunk" } });
    expect(found.stderr).toContain("10 frames of it are lost: the 30 frames that can be read are written");
    expect((await framesOf(at("left.dump"))).map(({ step }) => Number(step))).toEqual(
      Array.from({ length: 40 }, (_, i) => i * 10).filter((step) => step < 100 || step >= 200),
    );
  });
});

test("Ctrl-C leaves nothing behind, and a container that was added to as it was", { timeout: 120_000 }, async () => {
  await json("pack", at("melt.dump"), at("kept.lkt"), "--chunk", "10");
  const before = readFileSync(at("kept.lkt"));
  for (const [out, more] of [
    [at("never.lkt"), []],
    [at("kept.lkt"), ["--append"]],
  ] as const) {
    const options = ["--chunk", "2", "--threads", "2", ...more];
    const child = spawn(process.execPath, [LAUNCHER, "trajectory", "pack", "-", out, ...options], { stdio: "pipe" });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    // The command closes it when it is interrupted.
    child.stdin.on("error", () => {});
    child.stdin.write(MELT);
    // Chunks are in the file while the pipe is still open.
    const size = () => {
      if (more.length > 0) return statSync(out).size;
      const name = readdirSync(folder).find((file) => file.startsWith("never.lkt"));
      return name === undefined ? 0 : statSync(at(name)).size;
    };
    const start = more.length === 0 ? 0 : before.length;
    while (size() <= start + 2_000) await new Promise((resolve) => setTimeout(resolve, 20));
    if (more.length > 0) {
      const second = await trajectory("pack", at("melt.dump"), out, "--append");
      expect([second.code, second.stderr]).toEqual([1, expect.stringContaining("another process is adding to")]);
    }
    child.kill("SIGINT");
    const [code] = await once(child, "close");
    expect([code, said]).toEqual([1, expect.stringMatching(/stopped after \d+ frames: /)]);
  }
  expect(readdirSync(folder).filter((name) => /never|\.part$|\.lock$/.test(name))).toEqual([]);
  expect(readFileSync(at("kept.lkt"))).toEqual(before);
});

test("a worker packs dumps as a job", { timeout: 120_000 }, async () => {
  const queue = `sqlite:${at("queue.jobs")}`;
  const worker = new LockstepProcess("worker", "--jobs", queue, "--workloads", "trajectory");
  try {
    const args = ["--param", `eps=${BOUNDS}`, "--watch", "--queue", queue, "--json"];
    const { code, stdout, stderr } = await runLockstep("jobs", "submit", "trajectory", at("melt.dump"), ...args);
    expect(code, stderr).toBe(0);
    const { id } = JSON.parse(stdout);
    expect((await runLockstep("jobs", "show", id, "--out", at("results"), "--queue", queue)).code).toBe(0);
    expect(await json("verify", at("melt.dump"), join(at("results"), "melt.lkt"))).toMatchObject({ holds: true });
  } finally {
    await worker.interrupted();
  }
});
