/**
 * An error of the operating system about a partial file, told of the file that it was to become: the name that a person
 * gave and can do something about.
 *
 * @returns the same error, changed
 */
export function aboutOutput(error: unknown, output: string): unknown {
  if (!(error instanceof Error) || !("path" in error)) return error;
  const message = error.message.replaceAll(String(error.path), output);
  return Object.assign(error, { path: output, message });
}
