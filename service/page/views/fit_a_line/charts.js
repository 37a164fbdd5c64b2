/** The two charts: points with the line, and the loss of every epoch. */
import { html, useMemo } from "../../lib/preact.js";
import { Chart } from "../../components/chart.js";
import { MORE } from "./tutorial.js";

const FIT = [
  { label: "training points", kind: "points", colour: 1 },
  { label: "test points", kind: "points", colour: 2 },
  { label: "the network's line", colour: 3 },
];
const [LOWEST, HIGHEST] = [-5, 50];
/** @type {[number, number]} */
const NOTHING_YET = [0, MORE + 1];
const LOSS = [{ label: "training loss", colour: 1 }];

export function FitChart({ points, line }) {
  const data = useMemo(() => {
    const of = (part) => points.map((point) => (point.part === part ? point.y : null));
    const xs = points.map(({ x }) => x);
    return [xs, of("train"), of("test"), xs.map((x) => line.weight * x + line.bias)];
  }, [points, line.weight, line.bias]);
  const isOutside = data[3].length > 0 && data[3].every((y) => y < LOWEST || y > HIGHEST);
  return html`<${Chart} name="Points of y = 4x + 2 and the network's line" data=${data} series=${FIT} xLabel="x" yLabel="y"
      xRange=${[-0.5, 10.5]} yRange=${[LOWEST, HIGHEST]} />
    ${isOutside && html`<p class="quiet">The line is so far away that it is outside the picture.</p>`}`;
}

export function LossChart({ run, at, onPick }) {
  const data = useMemo(() => [run?.epochs ?? [], run?.losses ?? []], [run]);
  const marks = run ? [{ x: at, label: `epoch ${at}` }] : [];
  return html`<${Chart} name="Training loss by epoch, on a log axis" data=${data} series=${LOSS} xLabel="epoch" yLabel="loss (log)" log
    marks=${marks} xRange=${run ? undefined : NOTHING_YET} onPick=${onPick} height=${220} />`;
}
