/** Weight and bias as knobs. */
import { html } from "../../lib/preact.js";
import { figure } from "../../lib/format.js";
import { Knob } from "../../components/field.js";
import { lossOf, STARTS } from "./tutorial.js";

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
