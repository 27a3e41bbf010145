import type { Bench } from "./bench.ts";

/** Options that some benchmarks take; `--json`, `--write` and `--help` go with each of them. */
export type BenchOptionName = "data" | "rel" | "frame-samples" | "cases" | "parts" | "quick";

/** A benchmark as its help shows it. */
export interface BenchEntry {
  /** Loaded only when it is asked for. */
  readonly load: () => Promise<Bench>;
  /** What it measures and what that needs, in a sentence or two. */
  readonly measures: string;
  /** The options that it takes, each with its value in short and what it means here. */
  readonly takes: Readonly<Partial<Record<BenchOptionName, readonly [value: string, meaning: string]>>>;
  /** `--rel` is one bound, not a list. */
  readonly isOneBound?: true;
  /** The arguments of a run that makes sense. */
  readonly example: string;
}

const RECORDINGS = "folder of recordings: NAME.f32 (float32 little-endian, row-major) with NAME.json, or NAME.csv";

/**
 * Every benchmark by name. To add one: write `test/bench/NAME.ts` with a function of type `Bench`, and an entry here.
 */
export const BENCHES: ReadonlyMap<string, BenchEntry> = new Map<string, BenchEntry>([
  [
    "brokers",
    {
      load: async () => (await import("./brokers.ts")).benchBrokers,
      measures: "What is relied on in aedes, mosquitto and NATS, what differs, and kills of each. Needs the last two.",
      takes: { quick: ["", "one kill of each"] },
      example: "brokers --write",
    },
  ],
  [
    "cloud",
    {
      load: async () => (await import("./cloud.ts")).benchCloud,
      measures:
        "A node under load over three brokers and beyond what it can take, beside JSON and float32. Minutes. Needs mosquitto and nats-server.",
      takes: { quick: ["", "the node alone, and with a thousand devices over its own broker: a minute"] },
      example: "cloud --json",
    },
  ],
  [
    "codec",
    {
      load: async () => (await import("./codec.ts")).benchCodec,
      measures: "Bits per sample of ours and of every peer on recordings, at the same strict bound. Minutes.",
      takes: {
        data: ["DIR", `${RECORDINGS}; needed`],
        rel: ["R,...", "bounds as parts of each channel's range, above 0 and below 1; 0.1,0.01,0.001 if not given"],
        "frame-samples": ["N", "rows of a frame; 100, 1000 and the whole file if not given"],
      },
      example: "codec --data sim/data --rel 0.1,0.01 --json",
    },
  ],
  [
    "distillation",
    {
      load: async () => (await import("./distillation.ts")).benchDistillation,
      measures:
        "Several teachers distilled into one student and deleted: what is kept, at which size; components, anchors, spikes. An hour on one core.",
      takes: {
        parts: ["NAME,...", "pipeline, quick, components, anchors, spike; the others as found last"],
        quick: ["", "see that it works: few teachers, few steps, and no goals"],
      },
      example: "distillation --parts pipeline --json",
    },
  ],
  [
    "firmware",
    {
      load: async () => (await import("./firmware.ts")).benchFirmware,
      measures: "Flash, memory, instructions and a bound of cycles on Cortex-M and RISC-V. Needs QEMU and two gccs.",
      takes: {},
      example: "firmware --json",
    },
  ],
  [
    "frames",
    {
      load: async () => (await import("./frames.ts")).benchFrames,
      measures: "Frames decoded per second, beside cbor-x.",
      takes: {},
      example: "frames",
    },
  ],
  [
    "gradient",
    {
      load: async () => (await import("./gradient.ts")).benchGradient,
      measures:
        "What compressed exchanges between two workers cost in loss, beside float32 and PowerSGD, by bytes of whole messages. An hour and more; goes on where it was.",
      takes: {
        data: ["DIR", "folder with TinyShakespeare as input.txt; only what was kept of earlier runs if not given"],
        parts: ["A,B", "rows of the table: float32, sync-50, local-1000 …; all of them if not given"],
        cases: ["N", "runs that are made before the table; all that are missing if not given"],
        quick: ["", "a small model, 400 steps and one seed: minutes, held against nothing"],
      },
      example: "gradient --data DIR --quick",
    },
  ],
  [
    "gradient-codec",
    {
      load: async () => (await import("./gradient-codec.ts")).benchGradientCodec,
      measures: "Bytes and speed of the gradient coder on a training's own gradients, beside their entropy and zstd.",
      takes: { data: ["DIR", "folder with the text to learn from, input.txt; needed"] },
      example: "gradient-codec --data shared/data/tinyshakespeare",
    },
  ],
  [
    "gradient-train",
    {
      load: async () => (await import("./gradient-train.ts")).benchGradientTrain,
      measures:
        "Trainings of two workers as people start them: steps a second, memory, and losses with a worker killed or its link cut. Twenty minutes. Faults need nats-server, root and ip.",
      takes: {
        data: ["DIR", "folder with TinyShakespeare as input.txt; needed"],
        parts: ["A,B", "speed, faults; both if not given"],
        quick: ["", "a small model and few steps: held against nothing"],
      },
      example: "gradient-train --data DIR --parts speed --write",
    },
  ],
  [
    "history",
    {
      load: async () => (await import("./history.ts")).benchHistory,
      measures: "Time to sum up an hour and to read a minute of it, and bytes of the store, beside DuckDB and Parquet.",
      takes: {},
      example: "history --json",
    },
  ],
  [
    "interpreter-fuzz",
    {
      load: async () => (await import("./interpreter-fuzz.ts")).benchInterpreterFuzz,
      measures:
        "The device's interpreter beside Node's WebAssembly, on modules made up. Goes on where it was. Needs gcc.",
      takes: { cases: ["N", "how many in all, those of runs before among them; 100000 if not given"] },
      example: "interpreter-fuzz --cases 1000000",
    },
  ],
  [
    "jobs",
    {
      load: async () => (await import("./jobs.ts")).benchJobs,
      measures:
        "Jobs per second beside BullMQ, what a queue adds, blobs up to 1 GB, kills and a cut network. A quarter of an hour. Needs 6 GB of disk, nats-server, redis-server, and root for the network.",
      takes: {
        cases: ["N", "how many jobs each fault is to hit under way; 20 if not given"],
        parts: ["NAME,...", "rates, overhead, blobs, two-workers, poison, faults; the others as found last"],
      },
      example: "jobs --parts faults --cases 5",
    },
  ],
  [
    "latency",
    {
      load: async () => (await import("./latency.ts")).benchLatency,
      measures: "Delays from sample to twin and from frame to acknowledgement, over MQTT and TCP. Needs mosquitto.",
      takes: { quick: ["", "five seconds of each road"] },
      example: "latency --json",
    },
  ],
  [
    "lm",
    {
      load: async () => (await import("./lm.ts")).benchLm,
      measures:
        "Training steps, products, losses, memory, gradients and sameness of small language models beside PyTorch and CPython. Half an hour. Needs python3-torch, and qemu-user for another processor.",
      takes: {
        data: ["DIR", "folder with TinyShakespeare as input.txt; runs over it are left out if not given"],
        parts: [
          "NAME,...",
          "steps, gemm, scalar, nanogpt, nanochat, identity, gradients, memory, threads, large, webgpu; the others as found last",
        ],
        quick: ["", "see that it works: few steps, and no goals"],
      },
      example: "lm --data DIR --parts scalar,gradients --json",
    },
  ],
  [
    "lora",
    {
      load: async () => (await import("./lora.ts")).benchLora,
      measures:
        "Patterns taught to a small Llama of our own, a memory beside it, SmolLM-135M's layout at full size, and PEFT's files. Minutes. Needs python3-torch for the last.",
      takes: {
        parts: ["NAME,...", "patterns, smollm, peft; the others as found last"],
        quick: ["", "see that it works: little models, few steps, and no goals"],
      },
      example: "lora --parts patterns --json",
    },
  ],
  [
    "macs",
    {
      load: async () => (await import("./macs.ts")).benchMacs,
      measures: "CPU that a node spends on the frames of a thousand devices, with MACs and without.",
      takes: { quick: ["", "fewer pairs of runs"] },
      example: "macs --json",
    },
  ],
  [
    "page",
    {
      load: async () => (await import("./page.ts")).benchPage,
      measures: "Frame times of the page: 10⁵ points, ten devices live, a table of a thousand. Needs chromium.",
      takes: {},
      example: "page --json",
    },
  ],
  [
    "power-loss",
    {
      load: async () => (await import("./power-loss.ts")).benchPowerLoss,
      measures: "A node's store after a power cut at every operation of its disk, of which some was lost. Needs gcc.",
      takes: { cases: ["N", "power cuts that are looked at, evenly spread; every one if not given"] },
      example: "power-loss --cases 500",
    },
  ],
  [
    "recovery",
    {
      load: async () => (await import("./recovery.ts")).benchRecovery,
      measures: "How long until frames are confirmed again after kill -9 of node, broker and device. Needs mosquitto.",
      takes: { quick: ["", "four kills of each, and a hundred devices"] },
      example: "recovery --write",
    },
  ],
  [
    "size",
    {
      load: async () => (await import("./size.ts")).benchSize,
      measures: "Bytes of WebAssembly and of state that a device needs.",
      takes: {},
      example: "size --json",
    },
  ],
  [
    "speed",
    {
      load: async () => (await import("./speed.ts")).benchSpeed,
      measures: "Time to encode and decode in Node, beside the same module as native code. Needs gcc.",
      takes: {
        data: ["DIR", `${RECORDINGS}; beside the generated signals, which are all there is if not given`],
        rel: ["R", "one bound as a part of each channel's range, above 0 and below 1; 0.01 if not given"],
        "frame-samples": ["N", "rows of a frame; 1000 if not given"],
        quick: ["", "a third of the runs"],
      },
      isOneBound: true,
      example: "speed --data sim/data --rel 0.001",
    },
  ],
  [
    "trajectory",
    {
      load: async () => (await import("./trajectory.ts")).benchTrajectory,
      measures:
        "Ratio, error, energy, speed and memory of packed trajectories of a melt, beside gzip, zstd, xz, ZFP and, where it is there, GROMACS. Needs LAMMPS.",
      takes: {
        data: ["DIR", "folder of LAMMPS dumps, packed with the bounds that are used where none is given"],
        quick: ["", "ratios, errors and energies alone: no peers, no command, no h5py"],
      },
      example: "trajectory --json",
    },
  ],
  [
    "update-power",
    {
      load: async () => (await import("./update-power.ts")).benchUpdatePower,
      measures:
        "Updates of an emulated board, power cut at each operation and each message. Hours; goes on. Needs QEMU and gcc.",
      takes: {
        cases: ["N", "runs of each form and kind, evenly spread, those of before among them; all if not given"],
      },
      example: "update-power --cases 20",
    },
  ],
  [
    "update-refusals",
    {
      load: async () => (await import("./update-refusals.ts")).benchUpdateRefusals,
      measures: "A hundred wrong packages offered to an emulated board that streams. Half an hour. Needs QEMU and gcc.",
      takes: { cases: ["N", "how many, evenly spread; all of them if not given"] },
      example: "update-refusals --cases 20",
    },
  ],
  [
    "vector-index",
    {
      load: async () => (await import("./vector-index.ts")).benchVectorIndex,
      measures:
        "Recall, bytes, speed, building and memory of compressed vectors beside usearch, hnswlib and FAISS. Half an hour. Needs 2 GB of disk and g++; FAISS where python3-faiss is there.",
      takes: {
        data: ["DIR", "folder of NAME.base.NxD.TYPE and NAME.query.QxD.TYPE; only sets that are made if not given"],
        quick: ["", "small sets alone, and no quantisers of FAISS: a minute"],
      },
      example: "vector-index --data DIR --json",
    },
  ],
  [
    "wire",
    {
      load: async () => (await import("./wire.ts")).benchWire,
      measures:
        "Captured bytes of a rotor and an inertial sensor over MQTT, TCP, serial lines and LoRaWAN. Needs tcpdump.",
      takes: { quick: ["", "true real time alone: no frames of 60 s, no LoRaWAN"] },
      example: "wire --write",
    },
  ],
]);
