/** All jobs: those of a state, a model or a dataset, and several of them to compare. */
import { html, useState } from "../../lib/preact.js";
import { pathOf, send } from "../../lib/api.js";
import { count, figure } from "../../lib/format.js";
import { useLoaded } from "../../lib/hooks.js";
import { linkTo, remember } from "../../lib/router.js";
import { SelectField } from "../../components/field.js";
import { Kinds } from "../../components/kinds.js";
import { Listing, when } from "../../components/listing.js";
import { hasEnded } from "./states.js";

const STATES = ["queued", "running", "paused", "succeeded", "failed", "cancelled"];
const MOST_COMPARED = 6;

export function List({ route }) {
  const names = useNames();
  const [chosen, setChosen] = useState(/** @type {string[]} */ ([]));
  const query = Object.fromEntries(["state", "model", "dataset"].map((word) => [word, route.query.get(word) ?? ""]));
  const choose = (id) => setChosen((before) => (before.includes(id) ? before.filter((each) => each !== id) : [...before, id].slice(-MOST_COMPARED)));
  const columns = [
    { label: "Compare", value: ({ id }) => html`<input type="checkbox" aria-label="Compare ${id}" checked=${chosen.includes(id)} onChange=${() => choose(id)} />` },
    { label: "Training", heads: true, value: ({ id, model }) => html`<a href=${linkTo(["jobs", id])}>${names.models[model] ?? "a deleted model"}</a><br /><span class="quiet small">…${id.slice(-6)}</span>` },
    { label: "State", value: (job) => html`${job.state}${job.error ? html`<span class="fault">${job.error.detail}</span>` : ""}` },
    { label: "Data", value: ({ dataset }) => names.datasets[dataset] ?? "deleted" },
    { label: "Epochs", number: true, value: ({ epochs_done: done, recipe }) => `${count(done)} of ${count(recipe.epochs)}` },
    { label: "Loss", number: true, value: (job) => figure(job.final_loss ?? job.best?.loss ?? null, 4) },
    { label: "Made", value: (job) => when(job.created_at) },
  ];
  const deletion = (job) => (hasEnded(job) ? {
    request: { method: "DELETE", path: pathOf("jobs", job.id) },
    consequences: `Its reports and its log go. ${job.version === null ? "It added no version." : `Version ${job.version} of the model stays.`}`,
  } : null);
  return html`
    <h1 tabindex="-1">Trainings</h1>
    <${Kinds} present="jobs" />
    <div class="actions">
      <a class="button ${chosen.length > 1 ? "main" : ""}" href=${chosen.length > 1 ? linkTo(["compare"], { jobs: chosen.join(",") }) : null} aria-disabled=${chosen.length < 2}>Compare ${chosen.length || ""}</a>
      <span class="quiet" role="status">${chosen.length < 2 ? `Choose two to ${MOST_COMPARED} of them.` : ""}</span>
    </div>
    <div class="card">
      <${Listing} path="/api/jobs" noun="training" caption="Trainings" route=${route} columns=${columns} query=${query} deletion=${deletion} filters=${html`
        <${SelectField} label="State" value=${query.state} options=${[["", "any"], ...STATES.map((state) => [state, state])]} onInput=${(state) => remember({ state })} />
        <${SelectField} label="Model" value=${query.model} options=${[["", "any"], ...Object.entries(names.models)]} onInput=${(model) => remember({ model })} />`} />
    </div>`;
}

/** Names of models and datasets by their ids. */
export function useNames() {
  const read = async (path, signal) => Object.fromEntries((await send({ path, query: { limit: 1000 } }, signal)).items.map(({ id, name }) => [id, name]));
  const loaded = useLoaded(async (signal) => {
    const [models, datasets] = await Promise.all([read("/api/models", signal), read("/api/datasets", signal)]);
    return { models, datasets };
  }, []);
  return loaded.value ?? { models: {}, datasets: {} };
}
