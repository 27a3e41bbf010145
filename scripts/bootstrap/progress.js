/**
 * One short line per step: on a terminal also while it runs, in a log only once it is done.
 *
 * @typedef {object} Progress
 * @property {(doing: string) => void} begin
 * @property {(done: string) => void} end  says how long it took since `begin`
 * @property {() => void} clear  remove an unfinished line
 */

const ERASE_LINE = "\r\u001b[K";

/**
 * @param {{ write(text: string): unknown, isTTY?: boolean }} stream
 * @param {() => number} [nowMs]
 * @returns {Progress}
 */
export function createProgress(stream, nowMs = Date.now) {
  let startedMs = nowMs();
  const clear = () => {
    if (stream.isTTY) stream.write(ERASE_LINE);
  };
  return {
    begin(doing) {
      startedMs = nowMs();
      if (stream.isTTY) stream.write(`${ERASE_LINE}lockstep: ${doing} …`);
    },
    end(done) {
      clear();
      stream.write(`lockstep: ${done} (${((nowMs() - startedMs) / 1000).toFixed(1)} s)\n`);
    },
    clear,
  };
}
