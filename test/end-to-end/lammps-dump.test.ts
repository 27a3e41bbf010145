import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DumpWriter, fileInput, readDump, type TrajectoryFrame } from "@lockstep/cloud-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { programPath, requires } from "../os-package.ts";

const ATOMS = `
units lj
atom_style atomic
atom_modify map array
lattice fcc 0.8442
region box block 0 4 0 4 0 4
create_box 2 box
create_atoms 1 box
mass * 1.0
set group all type/fraction 2 0.3 4711
pair_style lj/cut 2.0
pair_coeff * * 1.0 1.0 2.0
thermo 5
thermo_style custom step pe press
thermo_modify format float %.12g
`;

/** Two types, wrapped and not, scaled and not, sorted and not, words, every digit, in a box that stays. */
const MELT = `${ATOMS}
velocity all create 3.0 87287 loop geom
fix 1 all nve
dump plain all custom 10 plain.dump id type x y z vx vy vz fx fy fz
dump_modify plain sort id
dump scaled all custom 10 scaled.dump type id element xs ys zs ix iy iz
dump_modify scaled element C Na units yes time yes
dump atom all atom 10 atom.dump.gz
dump long all custom 10 long.dump xu proc yu zu id xsu ysu zsu
dump_modify long format float %20.15g
run 60
`;

/** A box that tilts, and one that breathes: other bounds in every frame. */
const SHEAR = `${ATOMS}
change_box all triclinic
velocity all create 1.44 87287 loop geom
fix 1 all nvt/sllod temp 1.0 1.0 1.0 tchain 1
fix 2 all deform 1 xy erate 0.2 xz erate -0.1 yz erate 0.05 z scale 1.1 remap v
dump shear all custom 5 shear.dump id type xs ys zs ix iy iz vx vy vz
run 40
`;

/** Atoms that come and go; none of them at first. */
const CROWD = `
units real
atom_style charge
atom_modify map array
boundary p f m
region box block -5 5 -5 5 -5 5
create_box 2 box
mass * 12.0
pair_style zero 2.0
pair_coeff * *
dump crowd all custom 1 crowd.dump id type q x y z
dump_modify crowd first yes
run 0 post no
create_atoms 1 random 7 12345 box
set group all charge 0.125
reset_timestep 1
run 0 post no
create_atoms 2 random 30 54321 box
reset_timestep 2
run 0 post no
region half block 0 5 -5 5 -5 5
delete_atoms region half compress no
reset_timestep 3
run 0 post no
`;

let folder = "";

/** Run a script in the folder of this test. @returns what LAMMPS printed */
function lammps(script: string): string {
  writeFileSync(join(folder, "in.script"), script);
  const args = ["-in", "in.script", "-log", "none"];
  return execFileSync(programPath("lammps"), args, {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, OMP_NUM_THREADS: "1" },
  });
}

async function framesOf(path: string): Promise<TrajectoryFrame[]> {
  const frames: TrajectoryFrame[] = [];
  for await (const frame of readDump([fileInput(path)])) frames.push(frame);
  return frames;
}

/** Read a dump, write it again. @returns both texts */
async function rewrite(name: string): Promise<{ before: string; after: string }> {
  const writer = new DumpWriter();
  const after = (await framesOf(join(folder, name))).flatMap((frame) => [...writer.write(frame)].map(String)).join("");
  writeFileSync(join(folder, `again.${name}`), after);
  return { before: readFileSync(join(folder, name), "utf8"), after };
}

/** Rows of thermodynamic output: step, potential energy, pressure. */
function thermo(output: string): string[] {
  return output.split("\n").filter((line) => /^\s*\d+\s+\S+\s+\S+\s*$/.test(line) && !/[a-z]{2}/i.test(line));
}

requires("lammps")("dumps of LAMMPS", () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "lockstep-lammps-"));
    for (const script of [MELT, SHEAR, CROWD]) lammps(script);
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(["plain.dump", "scaled.dump", "shear.dump", "crowd.dump"])(
    "%s is written as LAMMPS wrote it",
    async (name) => {
      const { before, after } = await rewrite(name);
      expect(before.length).toBeGreaterThan(1000);
      expect(after).toBe(before);
    },
  );

  test("columns are what the dump command says, in frames of any count", async () => {
    const [melt] = await framesOf(join(folder, "scaled.dump"));
    expect(melt).toMatchObject({ units: "lj", time: 0, atoms: 256 });
    expect(melt?.columns.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      ..."type integer,id integer,element text,xs real,ys real,zs real,ix integer,iy integer,iz integer".split(","),
    ]);
    const crowd = await framesOf(join(folder, "crowd.dump"));
    expect(crowd.map(({ step, atoms }) => [Number(step), atoms])).toEqual([
      [0, 0],
      [1, 7],
      [2, 37],
      [3, expect.any(Number)],
    ]);
    expect(crowd[3]?.atoms).toBeLessThan(37);
    const gzipped = await framesOf(join(folder, "atom.dump.gz"));
    expect(gzipped.map(({ step }) => Number(step))).toEqual([0, 10, 20, 30, 40, 50, 60]);
  });

  test("the energy of every frame is the same to LAMMPS' rerun, whichever of the two dumps it is given", async () => {
    const cases = [
      ["plain.dump", "x y z vx vy vz"],
      ["scaled.dump", "x y z ix iy iz scaled yes"],
      ["long.dump", "x y z wrapped no"],
      ["shear.dump", "x y z ix iy iz scaled yes"],
    ] as const;
    for (const [name, fields] of cases) {
      await rewrite(name);
      const form = name === "shear.dump" ? "change_box all triclinic\n" : "";
      const [before, after] = [name, `again.${name}`].map((file) =>
        thermo(lammps(`${ATOMS}${form}rerun ${file} dump ${fields} box yes\n`)),
      );
      expect(before?.length, name).toBeGreaterThanOrEqual(7);
      expect(after, name).toEqual(before);
    }
  });

  test("read_dump adds the atoms of a frame that we wrote, and dumps them again as they were", async () => {
    await rewrite("crowd.dump");
    const dumped = ["crowd.dump", "again.crowd.dump"].map((file) => {
      lammps(
        [
          ...[
            "units real",
            "atom_style charge",
            "atom_modify map array",
            "boundary p f m",
            "region box block -5 5 -5 5 -5 5",
          ],
          ...["create_box 2 box", "mass * 12.0", "pair_style zero 2.0", "pair_coeff * *"],
          `read_dump ${file} 2 x y z q box yes add yes`,
          "write_dump all custom back.dump id type q x y z modify sort id",
        ].join("\n"),
      );
      return readFileSync(join(folder, "back.dump"), "utf8");
    });
    expect(dumped[0]).toContain("ITEM: NUMBER OF ATOMS\n37\n");
    expect(dumped[1]).toBe(dumped[0]);
  });
});

requires("bzip2")("dumps that bzip2 compressed", () => {
  test("are read as what they were, in blocks of any size", async () => {
    const place = mkdtempSync(join(tmpdir(), "lockstep-bzip2-"));
    try {
      const rows = Array.from({ length: 60_000 }, (_, i) => `${i} ${Math.sin(i).toPrecision(6)} ${i % 5}\n`).join("");
      const head =
        "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n60000\nITEM: BOX BOUNDS pp pp pp\n0 1\n0 1\n0 1\nITEM: ATOMS id x type\n";
      const plain = join(place, "a.dump");
      writeFileSync(plain, (head + rows).repeat(3));
      const expected = await framesOf(plain);
      for (const level of ["-1", "-9"]) {
        const packed = join(place, `a${level}.dump.bz2`);
        writeFileSync(packed, execFileSync(programPath("bzip2"), [level, "-c", plain], { maxBuffer: 1 << 26 }));
        const frames = await framesOf(packed);
        expect(frames.map(({ columns }) => columns)).toEqual(expected.map(({ columns }) => columns));
      }
    } finally {
      rmSync(place, { recursive: true });
    }
  });
});
