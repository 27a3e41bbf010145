import { useState } from "preact/hooks";

/** No device has ever reported: how to start one. */
export function EmptyFleet({ mqttUrl }: { readonly mqttUrl: string | null }) {
  const [isCopied, setCopied] = useState(false);
  const command = mqttUrl === null ? undefined : `lockstep sim rotor --to ${reachable(mqttUrl)}`;
  return (
    <section class="panel empty">
      <p>No device has reported yet.{command !== undefined && " Start one:"}</p>
      {command !== undefined && (
        <p class="command">
          <code>{command}</code>
          {/* Only pages of this machine, or over TLS, may write to the clipboard. */}
          {window.isSecureContext && (
            <button
              type="button"
              onClick={() => void navigator.clipboard.writeText(command).then(() => setCopied(true))}
            >
              {isCopied ? "Copied" : "Copy"}
            </button>
          )}
        </p>
      )}
    </section>
  );
}

/** An address that only the node's own machine knows is, from here, the host of this page. */
function reachable(mqttUrl: string): string {
  return mqttUrl.replace(/\/\/(127\.0\.0\.1|0\.0\.0\.0|localhost|::1?|\[::1?\])(?=:\d+$)/, `//${location.hostname}`);
}
