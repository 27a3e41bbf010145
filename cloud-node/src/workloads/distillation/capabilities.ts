import { ARITHMETIC } from "./capabilities/arithmetic.ts";
import { CODE } from "./capabilities/code.ts";
import { FACTS } from "./capabilities/facts.ts";
import { FORMATS } from "./capabilities/formats.ts";
import { LANGUAGE } from "./capabilities/language.ts";
import { SIGNAL } from "./capabilities/signal.ts";
import type { Capability, Category } from "./capability.ts";

const ALL: Readonly<Record<Category, Capability>> = {
  arithmetic: ARITHMETIC,
  code: CODE,
  formats: FORMATS,
  language: LANGUAGE,
  facts: FACTS,
  signal: SIGNAL,
};

/** What a category asks. */
export function capabilityOf(category: Category): Capability {
  return ALL[category];
}
