import { BENCHES } from "../bench/registry.ts";

/** Everything, as `docs/results` has it; or what fits into half an hour. */
export type Form = "full" | "quick";

/** How one form goes about a step: what is typed behind its name, or why it is left out. */
export type Plan = { readonly args: readonly string[] } | { readonly leftOut: string };

/** A benchmark, or an example of the documents as its test types it. */
export interface Step {
  readonly name: string;
  readonly kind: "bench" | "example";
  readonly plans: Readonly<Record<Form, Plan>>;
  /** Places of the kept page that a quick run says something of, as `comparePages` takes it; nothing: none of them. */
  readonly quickHolds: RegExp | undefined;
  /** Rows of the table in `scripts/os-packages.js`. */
  readonly needs: readonly string[];
  /** Captures packets, or cuts networks. */
  readonly needsRoot: boolean;
  /** The folder in that of `--data` which the benchmark is given where `DATA` stands. */
  readonly data: string | undefined;
}

/** Whether what a step measures in a form is held against the page that is kept. */
export function isHeldIn({ quickHolds }: Step, form: Form): boolean {
  return form === "full" || quickHolds !== undefined;
}

/** Stands for the step's folder of data in its arguments. */
export const DATA = "DATA";

/** What ships with the repository: one of the codec's six recordings. */
const SHIPPED = ["--data", "sim/data"];
const EVERYTHING = /./;

function bench(
  name: string,
  quick: readonly string[] | string,
  more: Partial<Pick<Step, "needs" | "needsRoot" | "data" | "quickHolds">> & { readonly full?: readonly string[] } = {},
): Step {
  const { needs = [], needsRoot = false, data, quickHolds, full = [] } = more;
  if (!BENCHES.has(name)) throw new RangeError(`reproduce: there is no benchmark "${name}"`);
  return {
    ...{ name, kind: "bench", needs, needsRoot, data, quickHolds },
    plans: { full: { args: full }, quick: typeof quick === "string" ? { leftOut: quick } : { args: quick } },
  };
}

function example(name: string, file: string, needs: readonly string[] = [], inQuick = true): Step {
  const full = { args: [file] };
  const quick = inQuick ? full : { leftOut: `minutes: \`npm test -- ${file}\`` };
  return {
    ...{ name, kind: "example", needs, needsRoot: false, data: undefined, quickHolds: undefined },
    plans: { full, quick },
  };
}

const WITH_DATA = ["--data", DATA];
const BOARDS = ["gcc-arm-none-eabi", "qemu-system-arm"];
const ALL_BOARDS = [...BOARDS, "gcc-riscv64-unknown-elf", "qemu-system-riscv32"];

/** In the order in which they run: what takes seconds first. */
export const STEPS: readonly Step[] = [
  example("readme", "test/end-to-end/readme.test.ts"),
  bench("size", [], { quickHolds: EVERYTHING }),
  bench("frames", [], { quickHolds: EVERYTHING }),
  bench("interpreter-fuzz", ["--cases", "5000"], {
    full: ["--cases", "1000000"],
    needs: ["c-compiler"],
    quickHolds: /cases that differ › measured$/,
  }),
  bench("power-loss", ["--cases", "20"], {
    full: ["--cases", "160"],
    needs: ["c-compiler"],
    quickHolds: /^goals/,
  }),
  bench("speed", [...SHIPPED, "--quick"], {
    full: WITH_DATA,
    data: "telemetry",
    needs: ["c-compiler"],
    quickHolds: /^(?!goals).* › (?:[\w -]* & )*(?:walk|tones|rotor|vibration|imu_handheld)/,
  }),
  bench("codec", SHIPPED, {
    full: WITH_DATA,
    data: "telemetry",
    quickHolds: /imu_handheld|^goals › (?:state|keyframe|largest error)|^Memory of a lookahead/,
  }),
  bench("history", [], { quickHolds: EVERYTHING }),
  bench("latency", ["--quick"], { needs: ["mosquitto"], quickHolds: /^(?!.*› frames$)/ }),
  bench("macs", ["--quick"], { quickHolds: EVERYTHING }),
  bench("page", [], { needs: ["chromium"], quickHolds: EVERYTHING }),
  bench("recovery", ["--quick"], {
    needs: ["mosquitto"],
    quickHolds: /^(?!.*\b1000\b)(?:goals|.*(?:lost|median ms)$)/,
  }),
  bench("brokers", ["--quick"], {
    needs: ["mosquitto", "nats-server"],
    quickHolds: /^(?!From device).|(?:of these lost|twins apart|median ms)$/,
  }),
  bench("wire", ["--quick"], {
    needs: ["tcpdump"],
    needsRoot: true,
    quickHolds: /^(?!.*(?:LoRaWAN|The same frames|60 s after| 60 s &| 60 s ›|RMS error|samples in the reopened))/,
  }),
  bench("firmware", [], { needs: ALL_BOARDS, quickHolds: EVERYTHING }),
  bench("update-power", ["--cases", "1"], {
    full: ["--cases", "20"],
    needs: BOARDS,
    quickHolds: /^goals/,
  }),
  bench("update-refusals", ["--cases", "6"], { needs: BOARDS, quickHolds: /^goals/ }),
  bench("jobs", ["--parts", "rates,poison"], {
    needs: ["nats-server", "redis-server", "iproute2"],
    needsRoot: true,
    quickHolds: /^goals › (?:small jobs|poison|workers)|^Small jobs|^Poisonous/,
  }),
  bench("lm", ["--parts", "scalar,gradients"], {
    full: WITH_DATA,
    data: "tinyshakespeare",
    needs: ["python3-torch", "qemu-aarch64"],
    quickHolds: /^goals › (?:scalar GPT|gradients)|^A step of the scalar|^Gradients/,
  }),
  bench("lora", "trains for half an hour; a short form would be held against nothing", { needs: ["python3-torch"] }),
  bench("gradient-codec", "trains for minutes, and has no short form", {
    full: WITH_DATA,
    data: "tinyshakespeare",
  }),
  bench("gradient", "trains for long; a short form would be held against nothing", {
    full: WITH_DATA,
    data: "tinyshakespeare",
  }),
  bench("gradient-train", "trains for long; a short form would be held against nothing", {
    full: WITH_DATA,
    data: "tinyshakespeare",
    needs: ["nats-server", "iproute2"],
    needsRoot: true,
  }),
  bench("distillation", "trains for long; a short form would be held against nothing"),
  bench("trajectory", ["--quick"], {
    full: WITH_DATA,
    quickHolds:
      /^main › every|^The map|^Lennard-Jones|^goals › (?!.*(?:largest error|MB|memory|h5py|text to file|one core))/,
    data: "lammps",
    needs: ["lammps", "zfp", "python3-h5py"],
  }),
  bench("vector-index", ["--quick"], {
    full: WITH_DATA,
    quickHolds: /^goals › (?:adjusted|energy at|error of centres|numbers that differ)/,
    data: "vectors",
    needs: ["g++", "python3-faiss"],
  }),
  bench("cloud", ["--quick"], {
    needs: ["mosquitto", "nats-server"],
    quickHolds: /^goals › .*(?:without a broker|at 1,000 devices)|^main › embedded|^Without a broker.*› 0 ›/,
  }),
  example("lookahead-guide", "test/end-to-end/lookahead-guide.test.ts"),
  example("vectors-guide", "test/end-to-end/vector-index-guide.test.ts"),
  example("api-guide", "test/end-to-end/api.test.ts", ["curl", "python3"]),
  example("sparkplug-guide", "test/end-to-end/sparkplug-guide.test.ts", ["mosquitto", "mosquitto-clients"]),
  example("tutorial", "test/end-to-end/tutorial.test.ts"),
  example("notebooks", "test/end-to-end/notebooks.test.ts", ["python3-notebook"]),
  example("use-cases", "test/end-to-end/use-case-guides.test.ts", [], false),
  example("hdf5-guide", "test/end-to-end/hdf5-filter.test.ts", ["python3-h5py"], false),
  example("flashing-guide", "test/end-to-end/flash.test.ts", [], false),
  example("securing-guide", "test/end-to-end/securing.test.ts", ["openssl"], false),
  example("lora-guide", "test/end-to-end/lora.test.ts", [], false),
  example("language-models-guide", "test/end-to-end/language-models.test.ts", [], false),
  example("gradients-guide", "test/end-to-end/gradient-report.test.ts", [], false),
  example("new-workload-guide", "cloud-node/src/workloads/new-workload-guide.test.ts", [], false),
  example("grafana-guide", "test/end-to-end/grafana.test.ts", [], false),
  example("deploying", "test/end-to-end/deploy.test.ts", [], false),
  example("distillation-guide", "test/end-to-end/distillation.test.ts", [], false),
  example("packages", "test/end-to-end/packages.test.ts", [], false),
  example("firmware-examples", "test/end-to-end/firmware-examples.test.ts", [...ALL_BOARDS, "make", "c-compiler"]),
];
