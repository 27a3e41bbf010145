/**
 * Which documents the site shows, in which order and under which heading: what stands first in a list stands first in the
 * navigation, and a document that two patterns match belongs to the first.
 *
 * @typedef {object} PageGroup
 * @property {string} title
 * @property {readonly string[]} files  patterns from the repository's root
 */

/** @type {readonly PageGroup[]} */
export const PAGE_GROUPS = [
  {
    title: "Use cases",
    files: [
      "docs/README.md",
      ...[
        ...["your-first-device", "flashing", "twins", "simulation", "batch-compression", "trajectories-from-python"],
        ...["vector-index", "language-models", "lora", "distillation"],
      ].map((name) => `docs/guides/${name}.md`),
    ],
  },
  { title: "Guides", files: ["docs/guides/*.md", "docs/deploy/README.md"] },
  {
    title: "Why it works",
    files: [
      "docs/TUTORIAL.md",
      "docs/design.md",
      "docs/architecture.md",
      "docs/security.md",
      "docs/glossary.md",
      "docs/BENCHMARKS.md",
    ],
  },
  { title: "Notebooks", files: ["docs/notebooks/README.md", "docs/notebooks/*.ipynb"] },
  { title: "Formats", files: ["protocol/SPEC.md", "docs/*-format.md"] },
  { title: "Results", files: ["docs/results/*.md"] },
  { title: "Workloads", files: ["cloud-node/src/workloads/*/README.md", "cloud-node/src/tensor/README.md"] },
  { title: "Firmware", files: ["firmware-examples/**/*.md"] },
  {
    title: "Project",
    files: ["CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs/*.md", "cloud-node/native/*/README.md"],
  },
];
