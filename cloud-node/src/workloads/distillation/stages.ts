/** The stages of a run, in their order; the one in front of stage 0 is that of what comes before the lock. */
export const STAGES = [
  { number: -1, name: "prepare", what: "teachers are there, or are made" },
  { number: 0, name: "lock", what: "configuration and data are locked" },
  { number: 1, name: "registry", what: "teachers are measured, quantised" },
  { number: 2, name: "profiling", what: "what each teacher knows, as a subspace" },
  { number: 3, name: "synthesis", what: "student, adapters, router" },
  { number: 4, name: "distillation", what: "the student learns" },
  { number: 5, name: "removal", what: "teachers are gone, and the student is asked" },
  { number: 6, name: "bundle", what: "INT8, hashed, measured again" },
  { number: 7, name: "cleanup", what: "what is left is archived" },
] as const;
export type StageName = (typeof STAGES)[number]["name"];
