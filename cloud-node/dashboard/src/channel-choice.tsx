import { MOST_COMPARED } from "./compared-channels.ts";
import type { ValueChannel } from "./value-text.ts";

interface ChannelChoiceProps {
  readonly channels: readonly ValueChannel[];
  readonly open: readonly string[];
  setOpen(names: readonly string[]): void;
  readonly compared: readonly string[];
  setCompared(names: readonly string[]): void;
}

/** Which lanes are open, and which channels lie over each other in one. */
export function ChannelChoice({ channels, open, setOpen, compared, setCompared }: ChannelChoiceProps) {
  const toggled = (names: readonly string[], name: string): string[] => {
    return channels.map((channel) => channel.name).filter((one) => (one === name) !== names.includes(one));
  };
  const toggle = (name: string): void => {
    const next = toggled(open, name);
    if (next.length > 0) setOpen(next);
  };
  const unit = channels.find(({ name }) => compared.includes(name))?.unit;
  const isComparable = (channel: ValueChannel): boolean => {
    if (compared.includes(channel.name)) return true;
    if (compared.length === MOST_COMPARED || (unit !== undefined && channel.unit !== unit)) return false;
    return channels.filter((other) => other.unit === channel.unit).length > 1;
  };
  return (
    <details class="choice">
      <summary>
        Channels: {open.length} of {channels.length}
      </summary>
      <fieldset>
        <legend>Lanes</legend>
        {channels.map(({ name }) => (
          <label key={name}>
            <input type="checkbox" checked={open.includes(name)} onChange={() => toggle(name)} /> {name}
          </label>
        ))}
      </fieldset>
      <fieldset>
        <legend>Compare: two to {MOST_COMPARED} of one unit, over each other</legend>
        {channels.map((channel) => (
          <label key={channel.name}>
            <input
              type="checkbox"
              checked={compared.includes(channel.name)}
              disabled={!isComparable(channel)}
              onChange={() => setCompared(toggled(compared, channel.name))}
            />{" "}
            {channel.name}
          </label>
        ))}
      </fieldset>
    </details>
  );
}
