/** Cross-validations: all; or one with its folds, means and deviations, and the predictions of rows out of their folds. */
import { html } from "../../lib/preact.js";
import { styled } from "../../lib/style.js";
import { pathOf, send } from "../../lib/api.js";
import { count, counted, figure } from "../../lib/format.js";
import { useLoaded } from "../../lib/hooks.js";
import { useNames } from "../../lib/names.js";
import { linkTo } from "../../lib/router.js";
import { useWatched } from "../../lib/watched.js";
import { Kinds } from "../../components/kinds.js";
import { Listing, when } from "../../components/listing.js";
import { MadeBy } from "../../components/made_by.js";
import { Advice, ErrorNotice, Notice } from "../../components/notice.js";
import { Table } from "../../components/table.js";
import { Begin } from "./begin.js";
import { OutOfFold } from "./out_of_fold.js";
import { beginning, hasEnded } from "./requests.js";

await Promise.all([styled("views.css"), styled("things.css")]);

const SCORES = { loss: "Loss", accuracy: "Accuracy", log_loss: "Log loss", roc_auc: "ROC AUC", rmse: "RMSE", mae: "MAE", r2: "R²" };
const TOLD = { running: "It is running", succeeded: "It has succeeded", failed: "It has failed" };

export default function CrossValidationsView({ route }) {
  return route.path[1] ? html`<${One} key=${route.path[1]} id=${route.path[1]} />` : html`<${All} route=${route} />`;
}

function All({ route }) {
  const names = useNames();
  const scored = ({ mean, deviation }, score) => (mean?.[score] === undefined ? null : spread(mean[score], deviation[score]));
  const columns = [
    { label: "Of", heads: true, value: ({ id, model }) => html`<a href=${linkTo(["cross-validations", id])}>${names.nameOf("models", model)}</a>` },
    { label: "Data", value: ({ dataset }) => names.nameOf("datasets", dataset) },
    { label: "State", value: ({ state }) => state },
    { label: "Folds", number: true, value: ({ folds }) => count(folds.length) },
    { label: "Loss", value: (each) => scored(each, "loss") ?? "–" },
    { label: "Accuracy or R²", value: (each) => scored(each, "accuracy") ?? scored(each, "r2") ?? "–" },
    { label: "Made", value: (each) => when(each.created_at) },
  ];
  const deletion = (each) => (hasEnded(each) ? {
    request: { method: "DELETE", path: pathOf("cross-validations", each.id) },
    consequences: `Its scores, its ${counted(each.folds.length, "training")} and its predictions go.`,
  } : null);
  return html`
    <h1 tabindex="-1">Cross-validations</h1>
    <${Kinds} present="cross-validations" />
    <p class="lead">A cross-validation trains a recipe once a fold, and judges each training on the rows that it has not seen.</p>
    <${ErrorNotice} error=${names.error} />
    <div class="stack">
      <${Begin} route=${route} names=${names} />
      <div class="card">
        <${Listing} path="/api/cross-validations" noun="cross-validation" caption="Cross-validations" byLabel=${false} route=${route} columns=${columns} deletion=${deletion} />
      </div>
    </div>`;
}

const spread = (mean, deviation) => `${figure(mean, 4)} ± ${figure(deviation, 2)}`;

function One({ id }) {
  const request = { path: pathOf("cross-validations", id) };
  const loaded = useWatched((signal) => send(request, signal), [id], (found) => !hasEnded(found));
  const found = loaded.value;
  const dataset = useLoaded(async (signal) => found && send({ path: pathOf("datasets", found.dataset) }, signal), [found?.dataset]);
  if (!found) return html`<h1 tabindex="-1">A cross-validation</h1><${ErrorNotice} error=${loaded.error} />${!loaded.error && html`<p class="quiet" role="status">Looking for it …</p>`}`;
  return html`
    <h1 tabindex="-1">Cross-validation${dataset.value ? ` on ${dataset.value.name}` : ""}</h1>
    <${ErrorNotice} error=${loaded.error} />
    ${found.error && html`<${Notice} kind="error" title="A fold failed.">${found.error.detail}</${Notice}>`}
    <div class="stack">
      <section class="card" aria-labelledby="state">
        <h2 id="state" aria-live="polite">${TOLD[found.state]}</h2>
        <${Facts} found=${found} />
        <${Advice} advice=${found.advice} />
        <div class="actions">
          <a class="button" href=${linkTo(["models", found.model])}>Its model</a>
          <a class="button" href=${linkTo(["cross-validations"])}>All cross-validations</a>
        </div>
      </section>
      <div class="card"><${Folds} found=${found} /></div>
      ${found.state === "succeeded" && dataset.value && html`<${OutOfFold} id=${found.id} dataset=${dataset.value} />`}
    </div>
    <${MadeBy} requests=${[["Begin it", beginning(found.model, found.dataset, found.folds.length, found.recipe, found.seed)], ["Read it", request]]} />`;
}

function Facts({ found: { folds, mean, deviation } }) {
  const done = folds.filter(({ metrics }) => metrics).length;
  const scores = Object.entries(SCORES).filter(([score]) => typeof mean?.[score] === "number");
  const facts = [["Folds done", `${count(done)} of ${count(folds.length)}`], ...scores.map(([score, label]) => [label, spread(mean[score], deviation[score])])];
  return html`<dl class="facts">${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    ${mean && html`<p class="quiet">Means over the folds, ± their standard deviations.</p>`}
    ${folds.some(isFromSums) && html`<p class="quiet">MAE and the largest error are not told: one pass over so many rows gave all folds and the other scores, and these two would take another.</p>`}`;
}

const isFromSums = ({ metrics }) => metrics?.mae === null && typeof metrics.rmse === "number";

function Folds({ found: { folds, mean, deviation } }) {
  const scores = Object.entries(SCORES).filter(([score]) => folds.some(({ metrics }) => typeof metrics?.[score] === "number"));
  const rows = [
    ...folds.map((fold) => ({ ...fold, name: html`<a href=${linkTo(["jobs", fold.job])}>Fold ${fold.fold + 1}</a>` })),
    ...(mean ? [{ name: "Mean", metrics: mean, state: "" }, { name: "Deviation", metrics: deviation, state: "" }] : []),
  ];
  const columns = [
    { label: "Fold", heads: true, value: ({ name }) => name },
    { label: "Rows", number: true, value: ({ rows: number }) => (number === undefined ? "" : count(number)) },
    ...scores.map(([score, label]) => ({ label, number: true, value: ({ metrics }) => figure(metrics?.[score] ?? null, 4) })),
    { label: "State", value: ({ state }) => state },
  ];
  return html`<${Table} caption="Folds" stacks rows=${rows} columns=${columns} />`;
}
