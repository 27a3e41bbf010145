/** What the codes of the operating system mean to a person. @see errno(3) */
const MEANINGS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  EISDIR: "it is a folder, not a file",
  ENOTDIR: "a part of the path is not a folder",
  EACCES: "no permission",
  EPERM: "not permitted",
  EROFS: "the file system is read-only",
  ENOSPC: "no room left on the device",
  EMFILE: "too many open files",
};

/** An error of the operating system about a file in plain words: `drive.csv: there is no such file or folder`. */
export function systemProblem(error: Error): string | undefined {
  const { code, path, syscall }: NodeJS.ErrnoException = error;
  const meaning = code === undefined || syscall === undefined ? undefined : MEANINGS[code];
  return meaning === undefined || path === undefined ? undefined : `${path}: ${meaning}`;
}
