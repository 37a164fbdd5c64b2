/** All datasets; or one: its columns, its parts and its first rows. */
import { html } from "../../lib/preact.js";
import { styled } from "../../lib/style.js";
import { pathOf, send } from "../../lib/api.js";
import { count, counted, figure } from "../../lib/format.js";
import { useLoaded } from "../../lib/hooks.js";
import { linkTo } from "../../lib/router.js";
import { nameOfPart } from "../../lib/table_rows.js";
import { Listing, when } from "../../components/listing.js";
import { MadeBy } from "../../components/made_by.js";
import { Advice, ErrorNotice } from "../../components/notice.js";
import { Table } from "../../components/table.js";

await Promise.all([styled("views.css"), styled("things.css")]);

export default function DatasetsView({ route }) {
  return route.path[1] ? html`<${One} key=${route.path[1]} name=${route.path[1]} />` : html`<${All} route=${route} />`;
}

function All({ route }) {
  const columns = [
    { label: "Dataset", heads: true, value: ({ name }) => html`<a href=${linkTo(["datasets", name])}>${name}</a>` },
    { label: "Rows", number: true, value: ({ rows }) => count(rows) },
    { label: "Columns", number: true, value: ({ features }) => count(features.length) },
    { label: "To predict", value: ({ targets }) => targets.map(({ name }) => name).join(", ") },
    { label: "Made", value: (dataset) => when(dataset.created_at) },
  ];
  const deletion = ({ id, rows }) => ({
    request: { method: "DELETE", path: pathOf("datasets", id) },
    consequences: `Its ${counted(rows, "row")} will be gone. Models that learnt from it stay, and go on to predict; they cannot be judged on it any more.`,
  });
  return html`
    <h1 tabindex="-1">Datasets</h1>
    <div class="card">
      <${Listing} path="/api/datasets" noun="dataset" caption="Datasets" byName route=${route} columns=${columns} deletion=${deletion} />
    </div>`;
}

function One({ name }) {
  const requests = {
    dataset: { path: pathOf("datasets", name) },
    statistics: { path: `${pathOf("datasets", name)}/statistics` },
    rows: { path: `${pathOf("datasets", name)}/rows`, query: { limit: 10 } },
  };
  const loaded = useLoaded((signal) => Promise.all(Object.values(requests).map((request) => send(request, signal))), [name]);
  const [dataset, statistics, rows] = loaded.value ?? [];
  const of = (column) => statistics.columns.find((each) => each.name === column.name)?.parts.train ?? {};
  const columns = [
    { label: "Column", heads: true, value: (column) => column.name },
    { label: "Kind", value: (column) => column.kind },
    { label: "Mean", number: true, value: (column) => figure(of(column).mean ?? null, 4) },
    { label: "Least", number: true, value: (column) => figure(of(column).min ?? null, 4) },
    { label: "Greatest", number: true, value: (column) => figure(of(column).max ?? null, 4) },
    { label: "Classes", value: (column) => (column.categories ?? []).slice(0, 8).join(", ") || "–" },
  ];
  return html`
    <h1 tabindex="-1">${dataset?.name ?? "A dataset"}</h1>
    <${ErrorNotice} error=${loaded.error} />
    ${dataset && html`
      <div class="stack">
        <section class="card" aria-label="About it">
          <p>${counted(dataset.rows, "row")}: ${count(dataset.parts.train)} to train, ${count(dataset.parts.validation)} to judge meanwhile, ${count(dataset.parts.test)} to judge afterwards${dataset.parts.calibration ? `, ${count(dataset.parts.calibration)} to tell how sure a model is` : ""}.
            ${" "}<a href=${linkTo(["jobs"], { dataset: dataset.id })}>Trainings on it</a>.</p>
          <div class="actions">
            <a class="button main" href=${linkTo(["own-data"], { dataset: dataset.id })}>Train on it</a>
            <a class="button" href=${linkTo(["sweeps"], { dataset: dataset.id })}>Search for a recipe</a>
          </div>
          <${Advice} advice=${dataset.advice} />
          <${Table} caption="Columns, as the ${counted(dataset.parts.train, "training row")} ${dataset.parts.train === 1 ? "has" : "have"} them" stacks rows=${[...dataset.features, ...dataset.targets]} columns=${columns} keyOf=${(column) => column.name} />
        </section>
        <section class="card" aria-label="Rows"><${Rows} rows=${rows.items} parts=${dataset.parts} /></section>
      </div>
      <${MadeBy} requests=${[["Show it", requests.dataset], ["Show its statistics", requests.statistics], ["Show its rows", requests.rows]]} />`}`;
}

/** @param {{rows: any[], parts: any}} properties rows come part after part, those that train first */
function Rows({ rows, parts }) {
  const isOfTraining = rows.every(({ part }) => part === "train") && (parts.validation || parts.test || parts.calibration);
  const names = Object.keys(rows[0]?.values ?? {});
  const columns = [
    { label: "Row", number: true, value: ({ row }) => row },
    { label: "Part", value: ({ part }) => nameOfPart(part) },
    ...names.map((name) => ({ label: name, value: ({ values }) => (typeof values[name] === "number" ? figure(values[name]) : String(values[name] ?? "missing")) })),
  ];
  return html`<${Table} caption="The first ${counted(rows.length, "row")}${isOfTraining ? " of the training part" : ""}" rows=${rows} columns=${columns} />`;
}
