/** The figures that the tutorial prints, and ours beside them. */
import { html } from "../../lib/preact.js";
import { figure } from "../../lib/format.js";
import { Table } from "../../components/table.js";
import { MORE, RATE, STARTS } from "./tutorial.js";

const ALL = MORE + 1;
/** [name, the tutorial's figure, ours, digits that agree], by the weight that the tutorial began from. */
const FIGURES = {
  [STARTS[0]]: [
    ["Loss before training", 122.64735, (run) => run.losses[0], 4],
    ["Loss after 1 epoch", 116.38741, (run) => run.losses[1], 4],
    [`Loss after ${ALL} epochs`, 0.00339581, (run) => run.losses[ALL], 4],
    [`Weight after ${ALL} epochs`, 4.01785, (run) => run.lines.get(ALL)?.weight, 5],
    [`Bias after ${ALL} epochs`, 2.00503, (run) => run.lines.get(ALL)?.bias, 5],
    ...[26.1121, 30.13, 34.1479, 38.1657, 42.1836].map((value, index) => [
      `Prediction at x = ${6 + index}`, value, (run) => (run.epochs.at(-1) === ALL ? run.predictions[index] : undefined), 5,
    ]),
  ],
  [STARTS[1]]: [
    ["Weight after 1 epoch", 7.246838, (run) => run.lines.get(1)?.weight, 5],
    ["Bias after 1 epoch", 1.748103, (run) => run.lines.get(1)?.bias, 5],
    [`Weight after ${ALL} epochs`, 4.0159144, (run) => run.lines.get(ALL)?.weight, 5],
    [`Bias after ${ALL} epochs`, 2.004479, (run) => run.lines.get(ALL)?.bias, 5],
  ],
};

/** Tell whether `digits` significant digits agree. */
function agrees(here, tutorial, digits) {
  return Math.abs(here - tutorial) <= 0.5 * 10 ** (Math.floor(Math.log10(Math.abs(tutorial))) - digits + 1);
}

/** @param {{run: import("./tutorial.js").Run | null}} properties */
export function Figures({ run }) {
  const start = run?.start ?? { weight: STARTS[0], bias: 0, rate: RATE };
  const rows = FIGURES[start.weight];
  if (!rows || start.bias !== 0 || start.rate !== RATE) {
    return html`<p class="quiet">
      The tutorial's figures belong to its own start (weight ${STARTS[0]} or ${STARTS[1]}, bias 0) and rate ${RATE}: go back to these to compare.
    </p>`;
  }
  return html`
    <${Table} caption="The Flux tutorial's figures, and these" rows=${rows} columns=${[
      { label: "Figure", heads: true, value: ([name]) => name },
      { label: "Tutorial", number: true, value: ([, tutorial]) => figure(tutorial, 7) },
      { label: "Here", number: true, value: ([, , ours]) => (run ? figure(ours(run), 7) : "–") },
      { label: html`<span class="visually-hidden">Agree</span>`, value: ([, tutorial, ours, digits]) => verdict(run ? ours(run) : undefined, tutorial, digits) },
    ]} />`;
}

function verdict(here, tutorial, digits) {
  if (here === undefined || here === null) return "";
  return agrees(here, tutorial, digits) ? html`<span class="good" aria-hidden="true">✓</span><span class="visually-hidden">yes</span>` : "no";
}
