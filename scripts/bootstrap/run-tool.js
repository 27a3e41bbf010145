import { spawn } from "node:child_process";

/**
 * Run a program to its end and keep what it prints.
 *
 * @param {string} file
 * @param {string[]} args
 * @param {object} options
 * @param {string} options.cwd
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {(pid: number) => void} [options.track]  told the id of the process
 * @returns {Promise<{ ok: boolean, output: string }>}  `ok` is false too where the program could not be started
 */
export function runTool(file, args, { cwd, env = process.env, track = () => {} }) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], windowsHide: true });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text) => {
        output += text;
      });
    }
    if (child.pid !== undefined) track(child.pid);
    child.once("error", (error) => resolve({ ok: false, output: error.message }));
    child.once("close", (code) => resolve({ ok: code === 0, output }));
  });
}
