/**
 * What a codec function gives, or undefined when the codec refuses what came off the wire.
 *
 * @throws whatever else went wrong
 */
export function unlessRefused<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof Error && error.name === "CodecError") return undefined;
    throw error;
  }
}
