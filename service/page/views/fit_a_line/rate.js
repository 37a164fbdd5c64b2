/** The rate: a slider with the largest stable rate marked, and why a larger one makes the loss grow. */
import { html } from "../../lib/preact.js";
import { figure } from "../../lib/format.js";
import { Knob } from "../../components/field.js";
import { Notice } from "../../components/notice.js";

const LARGEST = 0.15;

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
