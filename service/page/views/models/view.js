/** All models; or one: its versions, how good it is, and a form to try it. */
import { html, useState } from "../../lib/preact.js";
import { styled } from "../../lib/style.js";
import { pathOf, send } from "../../lib/api.js";
import { count, counted } from "../../lib/format.js";
import { useLoaded } from "../../lib/hooks.js";
import { linkTo, remember } from "../../lib/router.js";
import { Listing, when } from "../../components/listing.js";
import { MadeBy } from "../../components/made_by.js";
import { ErrorNotice, Notice } from "../../components/notice.js";
import { Table } from "../../components/table.js";
import { Judging } from "./judging.js";

await Promise.all([styled("views.css"), styled("things.css")]);

const FORMATS = ["onnx", "safetensors", "npz", "flux"];

export default function ModelsView({ route }) {
  return route.path[1] ? html`<${One} key=${route.path[1]} name=${route.path[1]} route=${route} />` : html`<${All} route=${route} />`;
}

function All({ route }) {
  const columns = [
    { label: "Model", heads: true, value: ({ name }) => html`<a href=${linkTo(["models", name])}>${name}</a>` },
    { label: "Network", value: ({ architecture }) => html`<code>${architecture.length > 60 ? `${architecture.slice(0, 60)}…` : architecture}</code>` },
    { label: "Parameters", number: true, value: (model) => count(model.parameter_count) },
    { label: "Versions", number: true, value: ({ versions }) => count(versions) },
    { label: "Served", value: (model) => `${model.served}${model.serving === "latest" ? ", the latest" : ", pinned"}` },
    { label: "Made", value: (model) => when(model.created_at) },
  ];
  const deletion = ({ id, versions }) => ({
    request: { method: "DELETE", path: pathOf("models", id) },
    consequences: `${versions === 1 ? "Its version goes" : `All its ${versions} versions go`}, with evaluations and kept epochs; programs that ask it get 404. Its trainings stay in the list.`,
  });
  return html`
    <h1 tabindex="-1">Models</h1>
    <div class="card">
      <${Listing} path="/api/models" noun="model" caption="Models" byName route=${route} columns=${columns} deletion=${deletion} />
    </div>`;
}

function One({ name, route }) {
  const [turn, setTurn] = useState(0);
  const requests = { model: { path: pathOf("models", name) }, versions: { path: `${pathOf("models", name)}/versions` } };
  const loaded = useLoaded((signal) => Promise.all(Object.values(requests).map((request) => send(request, signal))), [name, turn]);
  if (!loaded.value) return html`<h1 tabindex="-1">A model</h1><${ErrorNotice} error=${loaded.error} />`;
  const [model, { items: versions }] = loaded.value;
  const version = Number(route.query.get("version") ?? model.served);
  return html`
    <h1 tabindex="-1">${model.name}</h1>
    <p class="lead"><code>${model.architecture}</code>, ${counted(model.parameter_count, "parameter")}</p>
    <div class="stack">
      ${!model.signature && html`<${Notice} kind="info" title="It has not learnt from data yet.">It predicts rows of plain numbers over HTTP; a form comes with its first training.</${Notice}>`}
      <${Judging} model=${model} version=${version} route=${route} />
      <section class="card" aria-labelledby="versions"><h2 id="versions">Versions</h2>
        <${Versions} model=${model} versions=${versions} version=${version} onChange=${() => setTurn(turn + 1)} />
      </section>
      <section class="card" aria-labelledby="export"><h2 id="export">Take it away</h2>
        <div class="actions">${FORMATS.map((format) => html`<a class="button" key=${format} download href=${`${pathOf("models", model.id)}/export?format=${format}&version=${version}`}>${format}</a>`)}</div>
      </section>
    </div>
    <${MadeBy} requests=${[["Show it", requests.model], ["Show its versions", requests.versions], ["Serve a version", serving(model, version)]]} />`;
}

function serving(model, version) {
  return { method: "PATCH", path: pathOf("models", model.id), body: { serving: version } };
}

function Versions({ model, versions, version, onChange }) {
  const [error, setError] = useState(null);
  const pin = (number) => send(serving(model, number)).then(onChange, setError);
  const columns = [
    { label: "Version", heads: true, value: (each) => html`<button type="button" class="small" aria-pressed=${each.version === version} onClick=${() => remember({ version: each.version })}>${each.version}</button>` },
    { label: "Training", value: ({ job }) => (job ? html`<a href=${linkTo(["jobs", job])}>${job.slice(-6)}</a>` : "set by hand") },
    { label: "Kept epochs", number: true, value: ({ epochs }) => count(epochs.length) },
    { label: "Made", value: (each) => when(each.created_at) },
    { label: "Served", value: (each) => (each.served ? "served" : html`<button type="button" class="small" aria-label="Serve version ${each.version}" onClick=${() => pin(each.version)}>Serve</button>`) },
  ];
  return html`
    <${ErrorNotice} error=${error} />
    <${Table} caption="Versions of ${model.name}" hidesCaption stacks rows=${versions} columns=${columns} keyOf=${(each) => each.version} />
    ${model.serving !== "latest" && html`<button type="button" onClick=${() => pin("latest")}>Serve the latest again</button>`}`;
}
