import type { BoardName } from "qemu-wasm-runner";

/** What is in the firmware besides the board: the encoder alone, or the whole device on a serial line. */
export type FirmwareSubject = "codec" | "link";

/** One firmware that is built and measured. */
export interface FirmwarePlan {
  readonly board: BoardName;
  readonly core: string;
  readonly subject: FirmwareSubject;
  /** gcc's -Os or -O2. */
  readonly optimize: "size" | "speed";
  /** Whether each access of the core to its memory is checked. */
  readonly checks: "all" | "none";
  /** The module itself, run by the interpreter; else as C made of it. */
  readonly isInterpreted?: true;
  /** `device-lite.wasm`; else `device.wasm`. */
  readonly isLite?: true;
}

const CORES = [
  ["mps2-an386", "Cortex-M4"],
  ["cortex-m0", "Cortex-M0"],
  ["mps2-an385", "Cortex-M3"],
  ["mps2-an500", "Cortex-M7"],
  ["riscv32-virt", "RV32IMC"],
] as const;
const SUBJECTS = ["codec", "link"] as const;

/** The firmware that the goals are about: every figure of a goal comes from this build, of the codec or with the link. */
export function goalPlan(subject: FirmwareSubject): FirmwarePlan {
  const [board, core] = CORES[0];
  return { board, core, subject, optimize: "size", checks: "none" };
}

/** Every way to build on the Cortex-M4; on the other cores without checks. */
export function firmwarePlans(): FirmwarePlan[] {
  return CORES.flatMap(([board, core], place) =>
    SUBJECTS.flatMap((subject) =>
      (["size", "speed"] as const).flatMap((optimize) =>
        (place === 0 ? (["none", "all"] as const) : (["none"] as const)).map((checks) => ({
          board,
          core,
          subject,
          optimize,
          checks,
        })),
      ),
    ),
  );
}

/** The interpreter on the Cortex-M4, with the codec. */
export function interpreterPlans(): FirmwarePlan[] {
  const [board, core] = CORES[0];
  return (["size", "speed"] as const).map((optimize) => ({
    board,
    core,
    subject: "codec",
    optimize,
    checks: "all",
    isInterpreted: true,
  }));
}

/** The lite codec on the Cortex-M4: interpreted, and as C in the build of the goals. */
export function litePlans(): readonly [FirmwarePlan, FirmwarePlan] {
  const [board, core] = CORES[0];
  const plan = { board, core, subject: "codec", optimize: "size", isLite: true } as const;
  return [
    { ...plan, checks: "all", isInterpreted: true },
    { ...plan, checks: "none" },
  ];
}

/** How a plan is called in tables and in JSON. */
export function modeOf({ subject, optimize, checks, isInterpreted, isLite }: FirmwarePlan): string {
  const what = `${isLite ? "lite " : ""}${subject === "codec" ? "codec" : "codec + link"}`;
  if (isInterpreted) return `${what}, interpreted, ${optimize === "size" ? "-Os" : "-O2"}`;
  return `${what}, ${optimize === "size" ? "-Os" : "-O2"}, ${checks === "all" ? "checked" : "unchecked"}`;
}
