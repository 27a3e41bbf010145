import { RandomStream } from "../../tensor/random.ts";

/** Resamples: an interval's ends then stand still in the third digit. */
const RESAMPLES = 4000;
const TAIL = 0.025;

/** What of a teacher's capability a student has kept. */
export interface Retention {
  readonly prompts: number;
  /** Exact answers of each. */
  readonly teacher: number;
  readonly student: number;
  /** student / teacher. */
  readonly retention: number;
  /** 95 % of the resampled retentions lie between. */
  readonly low: number;
  readonly high: number;
}

/**
 * Compare a student with its teacher by exact answers to the same prompts: prompts are drawn with replacement, and both answer
 * the same draw.
 *
 * @param teacher, student, right  answers, shape (prompts); the teacher is right at least once
 * @see B. Efron 1979 (the bootstrap; percentile interval)
 */
export function retentionOf(
  teacher: readonly string[],
  student: readonly string[],
  right: readonly string[],
  seed: number,
): Retention {
  const prompts = right.length;
  const isRight = (answers: readonly string[]) => right.map((answer, at) => Number(answers[at] === answer));
  const [byTeacher, byStudent] = [isRight(teacher), isRight(student)];
  const sum = (rights: readonly number[]) => rights.reduce((total, one) => total + one, 0);
  const stream = new RandomStream(seed, "retention");
  const drawn = Array.from({ length: RESAMPLES }, () => {
    let [teachers, students] = [0, 0];
    for (let draw = 0; draw < prompts; draw += 1) {
      const at = stream.nextBelow(prompts);
      teachers += byTeacher[at] as number;
      students += byStudent[at] as number;
    }
    return teachers === 0 ? 0 : students / teachers;
  }).sort((a, b) => a - b);
  const at = (share: number) => drawn[Math.min(RESAMPLES - 1, Math.floor(share * RESAMPLES))] as number;
  return {
    ...{ prompts, teacher: sum(byTeacher), student: sum(byStudent) },
    ...{ retention: sum(byStudent) / sum(byTeacher), low: at(TAIL), high: at(1 - TAIL) },
  };
}
