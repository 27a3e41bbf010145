import { channel } from "node:diagnostics_channel";
import { isBuiltin, registerHooks } from "node:module";

/** Node's modules that asking a student takes. None of them reaches anybody; every other one is refused. */
const NEEDED: ReadonlySet<string> = new Set([
  ...["crypto", "fs", "fs/promises", "path", "timers/promises", "url", "v8"],
]);
/** What reaches others without a module. */
const GLOBALS = ["fetch", "WebSocket", "EventSource", "XMLHttpRequest"];
/** Where Node's own `fetch` keeps what it connects with, for whoever asks for it. */
const DISPATCHER = Symbol.for("undici.globalDispatcher.1");
const PREFIX = "node:";

/**
 * From here on this process gets nothing that could reach anybody, and what it asks for in vain is written down, whether the
 * asker minds or not. Node's permission model has no switch for the network; it does refuse addons, workers, child processes
 * and Node's bindings, which would be ways around this.
 *
 * @param refused  gets the paths and modules that were asked for
 */
export function sealProcess(refused: string[]): void {
  channel("node:permission-model:fs").subscribe((message) => {
    refused.push(String((message as { readonly resource?: unknown }).resource));
  });
  const refuse = (what: string): never => {
    refused.push(what);
    throw new RangeError(`the gate has no network: ${what}`);
  };
  registerHooks({
    resolve: (specifier, context, next) => {
      if (isRefused(specifier)) refuse(specifier);
      const found = next(specifier, context);
      // A package may have another name for it.
      return isRefused(found.url) ? refuse(found.url) : found;
    },
  });
  const { getBuiltinModule } = process;
  fix(process, "getBuiltinModule", (id: string) => (isRefused(id) ? refuse(id) : getBuiltinModule(id)));
  for (const name of GLOBALS) {
    fix(globalThis, name, function reach() {
      refuse(name);
    });
  }
  fix(globalThis, DISPATCHER, { dispatch: () => refuse("fetch") });
}

function isRefused(specifier: string): boolean {
  const name = specifier.startsWith(PREFIX) ? specifier.slice(PREFIX.length) : specifier;
  return (specifier.startsWith(PREFIX) || isBuiltin(specifier)) && !NEEDED.has(name);
}

/** For good: nobody puts back what was there. */
function fix(target: object, name: PropertyKey, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: false, configurable: false });
}
