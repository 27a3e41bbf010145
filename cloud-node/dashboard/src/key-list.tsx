import { useEffect, useRef, useState } from "preact/hooks";
import { areKeysOn, FLEET_KEYS, JOB_KEYS, type KeyHelp, PAGE_KEYS, PLOT_KEYS, setKeysOn } from "./keyboard.ts";

/** All keys, in a dialog. */
export function KeyList({ close }: { close(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [areOn, setOn] = useState(areKeysOn());
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby="keys-title" onClose={close}>
      <h2 id="keys-title">Keys</h2>
      <Keys title="Everywhere" keys={PAGE_KEYS} />
      <Keys title="Fleet" keys={FLEET_KEYS} />
      <Keys title="Jobs" keys={JOB_KEYS} />
      <Keys title="Lanes" keys={PLOT_KEYS} />
      <p>
        <label>
          <input
            type="checkbox"
            checked={areOn}
            onChange={({ currentTarget }) => {
              setKeysOn(currentTarget.checked);
              setOn(currentTarget.checked);
            }}
          />{" "}
          Single keys are on
        </label>
      </p>
      <button type="button" onClick={() => dialog.current?.close()}>
        Close
      </button>
    </dialog>
  );
}

function Keys({ title, keys }: { readonly title: string; readonly keys: readonly KeyHelp[] }) {
  return (
    <table class="keys">
      <caption>{title}</caption>
      <tbody>
        {keys.map(({ keys: names, does }) => (
          <tr key={names}>
            <th scope="row">
              {names.split(" ").map((name) => (
                <kbd key={name}>{name}</kbd>
              ))}
            </th>
            <td>{does}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
