/** Weight, bias and the rate as knobs. */
import { html } from "../../lib/preact.js";
import { figure } from "../../lib/format.js";
import { Knob } from "../../components/field.js";
import { Notice } from "../../components/notice.js";
import { lossOf, STARTS } from "./tutorial.js";

const LARGEST = 0.15;

export function Knobs({ line, points, onInput, onSet }) {
  const knob = (name, label, min, max) => html`
    <${Knob} label=${label} value=${Number(line[name].toPrecision(7))} min=${min} max=${max} step="any"
      onInput=${(value) => onInput({ ...line, [name]: value })} onSet=${(value) => onSet({ ...line, [name]: value })} />`;
  const [train, test] = [lossOf(points, line, "train"), lossOf(points, line, "test")];
  return html`
    ${knob("weight", "Weight", -2, 10)}
    ${knob("bias", "Bias", -10, 10)}
    <p>Loss of this line: <strong>${figure(train)}</strong> on the training points, ${figure(test)} on the test points. Training begins from here.</p>
    <div class="actions">
      ${STARTS.map((weight, index) => html`
        <button type="button" class="small" key=${weight} onClick=${() => onSet({ weight, bias: 0 })}>
          ${index === 0 ? "The tutorial's start" : "Its other start"}</button>`)}
    </div>`;
}

/** A slider with the largest stable rate marked, and why a larger one makes the loss grow. */
export function Rate({ rate, onInput, plan }) {
  const stable = plan?.plan.largest_stable_rate?.value;
  const best = plan?.plan.best_rate?.value;
  return html`
    <${Knob} label="Learning rate" value=${rate} min="0.001" max=${LARGEST} step="0.001" onInput=${onInput} fault=${rate > 0 ? null : "A number above 0."}
      marks=${stable ? [stable] : []} text=${stable ? `${rate}, ${rate > stable ? "above" : "below"} the largest stable rate` : null}
      hint=${stable ? html`Largest stable rate, marked on the slider: <strong>${figure(stable)}</strong>; the quickest: ${figure(best)}.
        ${" "}<button type="button" class="small" onClick=${() => onInput(0.11)}>Try 0.11</button>` : " "} />
    ${stable && rate > stable && html`
      <${Notice} kind="advice" title="This rate diverges.">
        A step goes against the slope, by the rate times its size. Along the steepest direction of this loss a step of ${rate} lands
        ${" "}${figure(rate * 2 / stable - 1, 3)} times as far on the other side of the minimum as it began: every epoch is further away than
        the one before. Below ${figure(stable)} that number is less than 1, and the line settles.
      </${Notice}>`}`;
}
