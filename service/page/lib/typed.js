/** What is typed in a field, told once typing rests. */
import { useState } from "./preact.js";
import { useQuiet } from "./hooks.js";

/**
 * Return the present value, what a field shows of it, and the field's `onInput`. What is typed is the present value at
 * once, null where nothing is; `tell`, which is called once typing rests, is not told of null.
 */
export function useTyped(value, tell, ms = 250) {
  const [typed, setTyped] = useState(undefined);
  const tellQuietly = useQuiet((last) => {
    if (last === null) return;
    tell(last);
    setTyped(undefined);
  }, ms);
  const present = typed === undefined ? value : typed;
  return [present, present ?? "", (next) => { setTyped(next); tellQuietly(next); }];
}
