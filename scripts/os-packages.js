/**
 * Programs that test suites need from the operating system: the table, what is missing here, and the line to type.
 * `apt-install.js` types it where that is ours to do.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { HAS_C_LIBRARY, HAS_CPP_LIBRARY, HAS_SOFTWARE_GL } from "./os-package-proofs.js";

/**
 * @typedef {object} OsPackage
 * @property {string} name      how a suite asks for it: `requires("mosquitto")`
 * @property {string[]} commands  any one of these on the path will do
 * @property {string[]} proof   arguments with which the command must end well; empty: to exist is enough
 * @property {string[]} debian  Debian's packages
 * @property {string} neededBy  what is left out without it
 * @property {"test" | "test:fresh" | "bench"} script  the npm script that needs it
 */

/** @type {readonly OsPackage[]} */
export const OS_PACKAGES = [
  {
    name: "mosquitto",
    commands: ["mosquitto"],
    proof: [],
    debian: ["mosquitto"],
    neededBy: "delivery through a broker that is not ours",
    script: "test",
  },
  {
    name: "nats-server",
    commands: ["nats-server"],
    proof: ["--version"],
    debian: ["nats-server"],
    neededBy: "delivery through a third broker, as it does things differently",
    script: "test",
  },
  {
    name: "mosquitto-clients",
    commands: ["mosquitto_sub"],
    proof: [],
    debian: ["mosquitto-clients"],
    neededBy: "the guide of Sparkplug and JSON, as it is typed",
    script: "test",
  },
  {
    name: "openssl",
    commands: ["openssl"],
    proof: ["version"],
    debian: ["openssl"],
    neededBy: "TLS and mutual TLS, with certificates made for the test",
    script: "test",
  },
  {
    name: "c-compiler",
    commands: ["gcc", "cc", "clang"],
    proof: HAS_C_LIBRARY,
    debian: ["gcc", "libc6-dev"],
    neededBy: "the codec compiled to C, and the example for a Linux host",
    script: "test",
  },
  {
    name: "make",
    commands: ["make"],
    proof: [],
    debian: ["make"],
    neededBy: "the firmware examples and the firmware kit's, by their own Makefiles",
    script: "test",
  },
  {
    name: "cmake",
    commands: ["cmake"],
    proof: [],
    debian: ["cmake", "make"],
    neededBy: "the firmware kit, by its CMake project",
    script: "test",
  },
  {
    name: "socat",
    commands: ["socat"],
    proof: [],
    debian: ["socat"],
    neededBy: "serial lines between pseudo-terminals",
    script: "test",
  },
  {
    name: "cppcheck",
    commands: ["cppcheck"],
    proof: ["--version"],
    debian: ["cppcheck"],
    neededBy: "the firmware's C, looked at by another pair of eyes",
    script: "test",
  },
  {
    name: "gcc-arm-none-eabi",
    commands: ["arm-none-eabi-gcc"],
    proof: ["--version"],
    debian: ["gcc-arm-none-eabi", "binutils-arm-none-eabi"],
    neededBy: "the codec on Cortex-M0, M3, M4 and M7",
    script: "test",
  },
  {
    name: "qemu-system-arm",
    commands: ["qemu-system-arm"],
    proof: ["--version"],
    debian: ["qemu-system-arm"],
    neededBy: "the codec on Cortex-M0, M3, M4 and M7",
    script: "test",
  },
  {
    name: "gcc-riscv64-unknown-elf",
    commands: ["riscv64-unknown-elf-gcc"],
    proof: ["--version"],
    debian: ["gcc-riscv64-unknown-elf", "binutils-riscv64-unknown-elf"],
    neededBy: "the codec on RV32",
    script: "test",
  },
  {
    name: "qemu-system-riscv32",
    commands: ["qemu-system-riscv32"],
    proof: ["--version"],
    debian: ["qemu-system-misc"],
    neededBy: "the codec on RV32",
    script: "test",
  },
  {
    name: "qemu-aarch64",
    commands: ["qemu-aarch64", "qemu-aarch64-static"],
    proof: ["--version"],
    debian: ["qemu-user"],
    neededBy: "the codec on 64-bit Arm Linux",
    script: "test",
  },
  {
    name: "gcc-aarch64",
    commands: ["aarch64-linux-gnu-gcc"],
    proof: HAS_C_LIBRARY,
    debian: ["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"],
    neededBy: "the codec on 64-bit Arm Linux",
    script: "test",
  },
  {
    name: "qemu-arm",
    commands: ["qemu-arm", "qemu-arm-static"],
    proof: ["--version"],
    debian: ["qemu-user"],
    neededBy: "the codec on 32-bit Arm Linux",
    script: "test",
  },
  {
    name: "gcc-armhf",
    commands: ["arm-linux-gnueabihf-gcc"],
    proof: HAS_C_LIBRARY,
    debian: ["gcc-arm-linux-gnueabihf", "libc6-dev-armhf-cross"],
    neededBy: "the codec on 32-bit Arm Linux",
    script: "test",
  },
  {
    name: "curl",
    commands: ["curl"],
    proof: ["--version"],
    debian: ["curl"],
    neededBy: "the examples of the API's guide",
    script: "test",
  },
  {
    name: "python3",
    commands: ["python3"],
    proof: ["-c", "import csv, urllib.request"],
    debian: ["python3"],
    neededBy: "the notebook example of the API's guide",
    script: "test",
  },
  {
    name: "python3-sparkplug",
    commands: ["python3"],
    proof: ["-c", "import paho.mqtt.client, google.protobuf"],
    debian: ["python3", "python3-paho-mqtt", "python3-protobuf"],
    neededBy: "Sparkplug B, heard by a host that shares no code with us",
    script: "test",
  },
  {
    name: "protoc",
    commands: ["protoc"],
    proof: ["--version"],
    debian: ["protobuf-compiler"],
    neededBy: "Sparkplug B, heard by a host that shares no code with us",
    script: "test",
  },
  {
    name: "systemd",
    commands: ["systemd-analyze"],
    proof: ["--version"],
    debian: ["systemd"],
    neededBy: "the service's unit, read and judged by systemd",
    script: "test",
  },
  {
    name: "software-gl",
    commands: ["python3"],
    proof: HAS_SOFTWARE_GL,
    debian: ["python3", "libegl-dev", "libegl-mesa0", "libgl1-mesa-dri"],
    neededBy: "the WGSL kernels of the vector index and of the tensor engine, on OpenGL ES done by the processor",
    script: "test",
  },
  {
    name: "lammps",
    commands: ["lmp"],
    proof: ["-help"],
    debian: ["lammps"],
    neededBy: "dumps of trajectories, written and read again by LAMMPS itself",
    script: "test",
  },
  {
    name: "bzip2",
    commands: ["bzip2"],
    proof: ["--help"],
    debian: ["bzip2"],
    neededBy: "dumps of trajectories that bzip2 compressed",
    script: "test",
  },
  {
    name: "python3-h5py",
    commands: ["python3"],
    proof: ["-c", "import h5py, numpy"],
    debian: ["python3", "python3-h5py", "python3-numpy"],
    neededBy: "the HDF5 filter, written and read by h5py",
    script: "test",
  },
  {
    name: "python3-notebook",
    commands: ["python3"],
    proof: ["-c", "import ipykernel, matplotlib, nbclient, numpy"],
    debian: ["python3", "python3-ipykernel", "python3-matplotlib", "python3-nbclient", "python3-numpy"],
    neededBy: "the notebooks, executed from clean",
    script: "test",
  },
  {
    name: "h5dump",
    commands: ["h5dump"],
    proof: ["--version"],
    debian: ["hdf5-tools"],
    neededBy: "the HDF5 filter, read by HDF5's own tools",
    script: "test",
  },
  {
    name: "h5repack",
    commands: ["h5repack"],
    proof: ["--version"],
    debian: ["hdf5-tools"],
    neededBy: "the HDF5 filter, put on and taken off a file",
    script: "test",
  },
  {
    name: "valgrind",
    commands: ["valgrind"],
    proof: ["--version"],
    debian: ["valgrind"],
    neededBy: "the HDF5 filter, with every access to memory looked at",
    script: "test",
  },
  {
    name: "chromium",
    commands: ["chromium", "chromium-browser", "google-chrome"],
    proof: [],
    debian: ["chromium"],
    neededBy: "the page in a real browser",
    script: "test",
  },
  {
    name: "debootstrap",
    commands: ["debootstrap"],
    proof: [],
    debian: ["debootstrap"],
    neededBy: "the run on a bare Debian",
    script: "test:fresh",
  },
  {
    name: "zfp",
    commands: ["zfp"],
    proof: [],
    debian: ["zfp"],
    neededBy: "a peer of the trajectory codec, by the benchmark named trajectory",
    script: "bench",
  },
  {
    name: "python3-torch",
    commands: ["python3"],
    proof: ["-c", "import torch"],
    debian: ["python3", "python3-torch", "libopenblas0-pthread"],
    neededBy: "the tensor engine beside PyTorch",
    script: "bench",
  },
  {
    name: "python3-faiss",
    commands: ["python3"],
    proof: ["-c", "import faiss, numpy"],
    debian: ["python3", "python3-faiss", "python3-numpy"],
    neededBy: "product quantisers, beside which the benchmark named vector-index puts ours",
    script: "bench",
  },
  {
    name: "g++",
    commands: ["g++", "clang++"],
    proof: HAS_CPP_LIBRARY,
    debian: ["g++"],
    neededBy: "hnswlib-node, built for this machine by the benchmark named vector-index",
    script: "bench",
  },
  {
    name: "tcpdump",
    commands: ["tcpdump"],
    proof: [],
    debian: ["tcpdump"],
    neededBy: "bytes counted on the network, by the benchmark named wire",
    script: "bench",
  },
  {
    name: "redis-server",
    commands: ["redis-server"],
    proof: ["--version"],
    debian: ["redis-server"],
    neededBy: "BullMQ, beside which the benchmark named jobs counts ours",
    script: "bench",
  },
  {
    name: "iproute2",
    commands: ["ip"],
    proof: ["-V"],
    debian: ["iproute2"],
    neededBy: "a network that is cut, by the benchmark named jobs",
    script: "bench",
  },
];

/** Where Debian keeps servers; the path of an ordinary user leaves it out. */
const SERVER_FOLDERS = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"];

/** The row of the table. @param {string} name @returns {OsPackage} @throws {RangeError} for a name that is not in it */
export function osPackage(name) {
  const found = OS_PACKAGES.find((row) => row.name === name);
  if (found === undefined) {
    throw new RangeError(`no OS package "${name}" in scripts/os-packages.js: ${OS_PACKAGES.map((row) => row.name)}`);
  }
  return found;
}

/**
 * The full path of a package's program, if it is there and works.
 *
 * @param {OsPackage} row
 * @param {string} [path]  the search path
 * @returns {string | undefined}
 */
export function findProgram(row, path = process.env.PATH ?? "") {
  const folders = [...path.split(delimiter), ...SERVER_FOLDERS];
  const suffixes = process.platform === "win32" ? [".exe"] : [""];
  return row.commands
    .flatMap((command) => folders.flatMap((folder) => suffixes.map((suffix) => join(folder, command + suffix))))
    .filter(isExecutable)
    .find((file) => row.proof.length === 0 || spawnSync(file, row.proof, { stdio: "ignore" }).status === 0);
}

/** What one npm script needs and this machine lacks. @param {OsPackage["script"]} script @returns {OsPackage[]} */
export function missingOsPackages(script) {
  return OS_PACKAGES.filter((row) => row.script === script && findProgram(row) === undefined);
}

/** The line to type, for these rows. */
export function aptLine(rows) {
  return `apt-get install -y --no-install-recommends ${[...new Set(rows.flatMap((row) => row.debian))].join(" ")}`;
}

/** Debian, or a descendant such as Ubuntu. */
export function isDebian() {
  return existsSync("/etc/debian_version");
}

/** Whether nothing may be left out: continuous integration on Debian, where everything can be installed. */
export function mustRunAll(env = process.env) {
  return env.CI === "true" && isDebian();
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
