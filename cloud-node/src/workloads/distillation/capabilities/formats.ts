import type { RandomStream } from "../../../tensor/random.ts";
import { type Capability, type Example, pick } from "../capability.ts";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** In every month. */
const DAYS = 28;
const WORDS = ["red", "max", "min", "user", "node", "file", "line", "page", "list", "data", "key", "new"];

/** The same thing written otherwise: dates, slugs, cases of names. */
export const FORMATS: Capability = {
  category: "formats",
  title: "dates, slugs and cases of names, written otherwise",
  draw(random) {
    return random.nextBelow(3) === 0 ? date(random) : name(random);
  },
};

function date(random: RandomStream): Example {
  const month = random.nextBelow(MONTHS.length);
  const day = 1 + random.nextBelow(DAYS);
  const year = 1980 + random.nextBelow(60);
  const two = (number: number) => String(number).padStart(2, "0");
  return { prompt: `date ${year}-${two(month + 1)}-${two(day)}`, answer: `${day} ${MONTHS[month]} ${year}` };
}

function name(random: RandomStream): Example {
  const words = Array.from({ length: 2 + random.nextBelow(2) }, () => pick(random, WORDS));
  const raised = words.map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`);
  const kind = random.nextBelow(3);
  if (kind === 0) return { prompt: `slug ${raised.join(" ")}`, answer: words.join("-") };
  if (kind === 1) return { prompt: `snake ${raised.join("")}`, answer: words.join("_") };
  return { prompt: `pascal ${words.join("_")}`, answer: raised.join("") };
}
