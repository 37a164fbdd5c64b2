/** Data that change on their own, loaded again and again. */
import { useEffect } from "./preact.js";
import { useLoaded } from "./hooks.js";

/** As `useLoaded`; for as long as `goesOn(value)` it loads again, `ms` after each answer, while the tab is seen. */
export function useWatched(load, inputs, goesOn, ms = 1000) {
  const loaded = useLoaded(load, inputs);
  const waits = Boolean(loaded.value) && !loaded.loading && goesOn(loaded.value);
  useEffect(() => {
    if (!waits) return undefined;
    const timer = setInterval(() => { if (!document.hidden) loaded.again(); }, ms);
    return () => clearInterval(timer);
  }, [waits]);
  return loaded;
}
