import { useRef } from "preact/hooks";

/** A value as it was when it was last let go: while it is held, the page does not move. */
export function useHeld<Value>(value: Value, isHeld: boolean): Value {
  const shown = useRef(value);
  if (!isHeld) shown.current = value;
  return shown.current;
}
