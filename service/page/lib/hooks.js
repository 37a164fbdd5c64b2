/** Hooks: signals in components, data that load, names for fields. */
import { effect, useEffect, useLayoutEffect, useReducer, useRef, useState } from "./preact.js";

/** Return what `read` reads from signals, and draw the component again when they change. */
export function useSignals(read) {
  const [, redraw] = useReducer((count) => count + 1, 0);
  const latest = useRef(read);
  latest.current = read;
  const shown = useRef(undefined);
  shown.current = read();
  useEffect(() => effect(() => { if (latest.current() !== shown.current) redraw(); }), []);
  return shown.current;
}

/**
 * Load something again whenever `inputs` change: `load(signal)` returns a promise, and the one before is cancelled.
 * @returns {{value: any, error: Error | null, loading: boolean, again: () => void}}
 */
export function useLoaded(load, inputs) {
  const [state, setState] = useState({ value: null, error: null, loading: true });
  const [turn, again] = useReducer((count) => count + 1, 0);
  useLayoutEffect(() => { // the request does not wait until what is there so far is painted
    const controller = new AbortController();
    setState((before) => (before.loading ? before : { ...before, loading: true }));
    const change = (more) => { if (!controller.signal.aborted) setState((before) => ({ ...before, error: null, ...more, loading: false })); };
    load(controller.signal).then((value) => change({ value }), (error) => change({ error }));
    return () => controller.abort();
  }, [...inputs, turn]);
  return { ...state, again };
}

let names = 0;

/** Return an id that no other element of the page has. */
export function useName(prefix = "n") {
  return useState(() => `${prefix}${(names += 1)}`)[0];
}

/** Return a function that calls `act` with its last arguments once it has been quiet for `ms`. */
export function useQuiet(act, ms) {
  const timer = useRef(0);
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => () => clearTimeout(timer.current), []);
  return (...values) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => latest.current(...values), ms);
  };
}

/** Tell whether the reader asks for no motion. */
export function motionIsUnwanted() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
