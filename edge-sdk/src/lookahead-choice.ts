/** Every lookahead, by the number that a link knows it by. */
export const LOOKAHEADS = ["none", "greedy", "programme"] as const;

/** Whether a value, which may come from a caller without types, is one of them. */
export function isLookahead(value: unknown): value is (typeof LOOKAHEADS)[number] {
  return LOOKAHEADS.some((lookahead) => lookahead === value);
}

/** What to say of a value that is none. */
export function describeUnknownLookahead(value: string | number | undefined): string {
  return `there is no lookahead "${value}": choose ${LOOKAHEADS.slice(0, -1).join(", ")} or ${LOOKAHEADS.at(-1)}`;
}
