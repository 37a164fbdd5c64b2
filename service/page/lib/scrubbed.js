/** Data of the place that one scrubs to. */
import { useLayoutEffect, useRef, useState } from "./preact.js";

/** Requests of one hook on their way at once: a browser opens six connections to a host. */
const MOST = 2;

/**
 * As `useLoaded`, but a request goes on while the next ones are asked: what is shown moves while one scrubs. Past `MOST`
 * the oldest is cancelled, and so are all before one that was answered.
 * @returns {{value: any, error: Error | null, loading: boolean}}
 */
export function useScrubbed(load, inputs) {
  const [state, setState] = useState({ value: null, error: null, loading: true });
  const going = useRef(/** @type {AbortController[]} */ ([]));
  useLayoutEffect(() => {
    const mine = new AbortController();
    const cancelled = going.current.splice(0, Math.max(0, going.current.length + 1 - MOST));
    cancelled.forEach((each) => each.abort());
    going.current.push(mine);
    setState((before) => (before.loading ? before : { ...before, loading: true }));
    const change = (more) => {
      if (mine.signal.aborted) return;
      going.current.splice(0, going.current.indexOf(mine)).forEach((each) => each.abort());
      going.current.shift();
      setState((before) => ({ ...before, error: null, ...more, loading: going.current.length > 0 }));
    };
    load(mine.signal).then((value) => change({ value }), (error) => change({ error }));
  }, inputs);
  useLayoutEffect(() => () => going.current.forEach((each) => each.abort()), []);
  return state;
}
