/** Epoch reports of jobs as they come: thinned, with their peaks, so that no chart has too many points. */
import { useLayoutEffect, useRef, useState } from "./preact.js";
import { follow } from "./stream.js";

const MOST = 1000;
const FRAME = 120;
/** Milliseconds in which the first events come together. */
const SOON = 16;
const NOTHING_YET = { jobs: {}, reports: {}, broken: false, error: null };

/**
 * Fewer reports: of each stretch of epochs the least and the greatest losses, and the first and the last of all. Stretches
 * begin at multiples of a power of two, so that what is thinned again and again is as dense at its beginning as at its end.
 */
export function thinned(reports, most = MOST) {
  if (reports.length <= most) return reports;
  const epochs = reports.at(-1).epoch - reports[0].epoch;
  const stretch = 2 ** Math.ceil(Math.log2(Math.max(1, epochs / (most / 8))));
  const kept = new Set([0, reports.length - 1]);
  for (let start = 0; start < reports.length;) {
    const number = Math.floor(reports[start].epoch / stretch);
    let end = start + 1;
    while (end < reports.length && Math.floor(reports[end].epoch / stretch) === number) end += 1;
    for (const loss of ["train_loss", "validation_loss"]) {
      let [least, greatest] = [start, start];
      for (let index = start; index < end; index += 1) {
        if (reports[index][loss] < reports[least][loss]) least = index;
        if (reports[index][loss] > reports[greatest][loss]) greatest = index;
      }
      kept.add(least).add(greatest);
    }
    start = end;
  }
  return [...kept].sort((a, b) => a - b).map((index) => reports[index]);
}

/**
 * Follow jobs, and draw again a few times a second at most.
 * @param {string[]} ids
 * @param {number} [points] reports of a job that come at once, at most
 * @param {number} [pause] milliseconds between two drawings
 * @returns {{jobs: Record<string, any>, reports: Record<string, any[]>, broken: boolean, error: any, know: (job: any) => void}}
 */
export function useFollowed(ids, points, pause = FRAME) {
  const [shown, setShown] = useState(NOTHING_YET);
  const held = useRef(shown);
  const timer = useRef(0);
  const drawn = useRef(-Infinity);
  const change = (changes) => {
    held.current = { ...held.current, ...changes };
    timer.current ||= setTimeout(() => {
      timer.current = 0;
      drawn.current = performance.now();
      setShown(held.current);
    }, Math.max(SOON, drawn.current + pause - performance.now()));
  };
  const know = (job) => change({ jobs: { ...held.current.jobs, [job.id]: job } });
  useLayoutEffect(() => {
    held.current = NOTHING_YET;
    setShown(NOTHING_YET);
    if (!ids.length) return undefined;
    const stop = follow(ids, {
      epochs: (job, items) => {
        const { reports } = held.current;
        change({ reports: { ...reports, [job]: thinned([...(reports[job] ?? []), ...items]) } });
      },
      state: know,
      broken: (broken) => { if (broken !== held.current.broken) change({ broken }); },
      error: (error) => change({ error }),
    }, points);
    return () => { stop(); clearTimeout(timer.current); timer.current = 0; };
  }, [ids.join()]);
  return { ...shown, know };
}
