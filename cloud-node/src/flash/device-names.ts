/**
 * The devices that some names and patterns stand for, in the order given, each once.
 *
 * @param wishes  names, or patterns in which `*` stands for any letters
 * @param known  every device there is
 * @returns names as they were given where no device has them; `unmatched`: patterns that fit none
 */
export function chooseDevices(
  wishes: readonly string[],
  known: readonly string[],
): { readonly devices: string[]; readonly unmatched: string[] } {
  const devices = new Set<string>();
  const unmatched: string[] = [];
  const sorted = [...known].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  for (const wish of wishes) {
    if (!wish.includes("*")) {
      devices.add(wish);
      continue;
    }
    const found = sorted.filter((name) => fits(name, wish.split("*")));
    if (found.length === 0) unmatched.push(wish);
    for (const name of found) devices.add(name);
  }
  return { devices: [...devices], unmatched };
}

/** Whether a name has these parts in this order, the first at its start and the last at its end; in linear time. */
function fits(name: string, parts: readonly string[]): boolean {
  const [first = "", last = ""] = [parts[0], parts.at(-1)];
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= name.length - last.length;
}
