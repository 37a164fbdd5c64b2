/** The verbs that steer a job: pause, resume, stop, cancel, and another rate or other frozen layers on its way. */
import { html, useState } from "../../lib/preact.js";
import { send } from "../../lib/api.js";
import { CheckField, NumberField } from "../../components/field.js";
import { MadeBy } from "../../components/made_by.js";
import { ErrorNotice } from "../../components/notice.js";
import { asking, changing } from "./states.js";

export function Controls({ job, last, layers, onAnswer }) {
  const [rate, setRate] = useState(/** @type {number | null} */ (null));
  const [frozen, setFrozen] = useState(job.recipe.frozen ?? []);
  const [sure, setSure] = useState(false);
  const [error, setError] = useState(null);
  const [sent, setSent] = useState(/** @type {[string, any][]} */ ([]));
  const ask = async (does, request) => {
    setError(null);
    setSent((before) => [...before.filter(([name]) => name !== does), [does, request]]);
    try {
      onAnswer(await send(request));
    } catch (problem) {
      setError(problem);
    }
  };
  const verb = (name, label, more = "") => html`
    <button type="button" class=${more} onClick=${() => ask(label, asking(job.id, name))}>${label}</button>`;
  const present = rate ?? last?.rate ?? job.recipe.optimiser?.eta ?? "";
  const changeRate = (event) => {
    event.preventDefault();
    if (present > 0) ask("Change the rate", changing(job.id, { rate: present }));
  };
  const freeze = (path, is) => {
    const next = is ? [...frozen, path] : frozen.filter((each) => each !== path);
    setFrozen(next);
    ask("Change the frozen layers", changing(job.id, { frozen: next }));
  };
  const dense = layers.map((layer, index) => ({ layer, path: `layers.${index}` })).filter(({ layer }) => layer.type === "Dense");
  return html`
    <div class="actions">
      ${job.state === "paused" || job.asked === "pause" ? verb("resume", "Go on", "main") : verb("pause", "Pause")}
      ${verb("stop", "Stop and keep it")}
      ${sure
        ? html`<button type="button" class="danger" onClick=${() => ask("Throw it away", asking(job.id, "cancel"))}>Yes, throw it away</button>
          <button type="button" onClick=${() => setSure(false)}>No</button>`
        : html`<button type="button" onClick=${() => setSure(true)}>Throw it away</button>`}
    </div>
    <${ErrorNotice} error=${error} />
    <form class="inline" onSubmit=${changeRate}>
      <${NumberField} label="Learning rate from the next batch on" value=${present} min="0" onInput=${setRate} />
      <button type="submit" disabled=${!(present > 0)}>Change the rate</button>
      <span role="status" class="quiet">${job.pending ? "It takes hold at the next batch …" : ""}</span>
    </form>
    ${dense.length > 1 && html`
      <fieldset class="plain">
        <legend>Layers that rest</legend>
        ${dense.map(({ layer, path }) => html`
          <${CheckField} key=${path} label="Dense(${layer.in} => ${layer.out})" value=${frozen.includes(path)} onInput=${(is) => freeze(path, is)} />`)}
      </fieldset>`}
    ${sent.length > 0 && html`<${MadeBy} requests=${sent} />`}`;
}
