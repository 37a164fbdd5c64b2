/** How good a version is on a part of a dataset: metrics, confusion, predicted against actual, the worst rows; then a form to try it, and what its columns do. */
import { html, useMemo, useState } from "../../lib/preact.js";
import { pathOf, send } from "../../lib/api.js";
import { count, counted, figure } from "../../lib/format.js";
import { useLoaded } from "../../lib/hooks.js";
import { allOf } from "../../lib/pages.js";
import { linkTo, remember } from "../../lib/router.js";
import { inputsOf, PARTS, readRows, truthOf, valuesOf } from "../../lib/table_rows.js";
import { Chart } from "../../components/chart.js";
import { SelectField } from "../../components/field.js";
import { MadeBy } from "../../components/made_by.js";
import { ErrorNotice } from "../../components/notice.js";
import { Table } from "../../components/table.js";
import { Effect } from "./effect.js";
import { evaluated, evaluating } from "./evaluations.js";
import { Importance } from "./importance.js";
import { Sureness } from "./sureness.js";
import { Trying } from "./trying.js";
import { Worst } from "./worst.js";

const WORST = 10;
/** What a version is judged on first, where the dataset has it. */
const FIRST = ["test", "validation", "train", "calibration"];
const KNOWN = { rmse: "RMSE", mae: "MAE", r2: "R²", max_error: "largest error", accuracy: "accuracy", log_loss: "log loss", roc_auc: "ROC AUC" };

export function Judging({ model, version, route }) {
  const datasets = useLoaded((signal) => allOf("/api/datasets", signal), []);
  const metrics = useLoaded((signal) => send({ path: `${pathOf("models", model.id)}/metrics` }, signal), [model.id]);
  const [most, setMost] = useState(/** @type {string | null | undefined} */ (undefined)); // undefined while it is looked up
  const trainings = metrics.value?.trainings ?? [];
  const learnt = (trainings.find((each) => each.version === version) ?? trainings[0])?.dataset;
  const known = datasets.value ?? [];
  const chosen = route.query.get("dataset") ?? learnt ?? "";
  const dataset = known.find(({ id, name }) => id === chosen || name === chosen);
  const part = route.query.get("part") ?? FIRST.find((name) => dataset?.parts[name]) ?? "train";
  const request = dataset && evaluating(model, version, dataset, part, { residuals: WORST });
  const evaluation = useLoaded(async (signal) => request && ((await evaluated(model, version, dataset, part, ({ residuals }) => residuals?.length, signal)) ?? send(request, signal)), [model.id, version, dataset?.id, part]);
  return html`
    <section class="card" aria-labelledby="judge" aria-busy=${evaluation.loading}>
      <h2 id="judge">How good is version ${version}?</h2>
      <div class="pair">
        <${SelectField} label="Dataset" value=${dataset?.id ?? ""} options=${[["", "Choose a dataset"], ...known.map(({ id, name }) => [id, name])]} onInput=${(id) => remember({ dataset: id })} />
        <${SelectField} label="Part" value=${part} options=${PARTS.filter(([name]) => !dataset || dataset.parts[name] > 0 || name === part)} onInput=${(name) => remember({ part: name })} />
      </div>
      <${ErrorNotice} error=${evaluation.error ?? metrics.error ?? datasets.error} />
      ${evaluation.value && !evaluation.error && html`<${Outcome} evaluation=${evaluation.value} model=${model} version=${version} dataset=${dataset} part=${part} />`}
      ${dataset && html`<div class="actions">
        <a class="button" href=${linkTo(["cross-validations"], { model: model.id, dataset: dataset.id })}>Cross-validate it</a>
        <a class="button" href=${linkTo(["sweeps"], { dataset: dataset.id })}>Search for a better recipe</a>
      </div>`}
      ${request && html`<${MadeBy} requests=${[["Judge it", request]]} />`}
    </section>
    ${!metrics.loading && model.signature && html`<${Trying} model=${model} version=${version} dataset=${learnt} route=${route} />`}
    ${dataset && model.signature && html`<${Importance} model=${model} version=${version} dataset=${dataset} part=${part} route=${route} onKnown=${setMost} />`}
    ${dataset && model.signature && most !== undefined && html`<${Effect} model=${model} version=${version} dataset=${dataset} most=${most} route=${route} />`}`;
}

function Outcome({ evaluation, model, version, dataset, part }) {
  const { metrics } = evaluation;
  const rows = useLoaded((signal) => readRows(dataset.id, part, signal), [dataset.id, part]);
  const read = rows.value?.rows;
  const groups = metrics.mse !== undefined || metrics.accuracy !== undefined ? [["", metrics]] : Object.entries(metrics);
  return html`
    <p>Judged on ${counted(evaluation.rows, "row")}; the loss is ${figure(evaluation.loss)}.</p>
    ${groups.map(([name, each]) => html`<${Group} key=${name} name=${name} metrics=${each} />`)}
    ${model.signature && read?.length > 0 && html`<${Against} model=${model} version=${version} rows=${read} />`}
    ${evaluation.residuals?.length > 0 && html`<${Worst} evaluation=${evaluation} signature=${model.signature} rows=${read ?? []} />`}
    <${Sureness} evaluation=${evaluation} />`;
}

function Group({ name, metrics }) {
  const facts = Object.entries(KNOWN).filter(([key]) => metrics[key] !== undefined && metrics[key] !== null);
  const shown = (key) => (key === "accuracy" ? `${figure(100 * metrics[key], 4)} %` : figure(metrics[key], 4));
  return html`
    ${name && html`<h3>${name}</h3>`}
    <dl class="facts">${facts.map(([key, label]) => html`<div key=${key}><dt>${label}</dt><dd>${shown(key)}</dd></div>`)}</dl>
    ${metrics.confusion_matrix && html`<${Confusion} metrics=${metrics} name=${name} />`}`;
}

function Confusion({ metrics, name }) {
  const names = metrics.per_class.map((each) => String(each.class));
  const columns = [
    { label: "True class", heads: true, value: ({ index }) => names[index] },
    ...names.map((label, column) => ({
      label: `as ${label}`, number: true,
      value: ({ row, index }) => html`<span class=${index === column ? "right" : row[column] ? "wrong" : "quiet"}>${count(row[column])}</span>`,
    })),
    { label: "Found", number: true, value: ({ index }) => `${figure(100 * metrics.per_class[index].recall, 3)} %` },
  ];
  return html`<${Table} caption="Confusion matrix${name && ` of ${name}`}: rows are true classes, columns are what it said"
    rows=${metrics.confusion_matrix.map((row, index) => ({ row, index }))} columns=${columns} />`;
}

/** Predicted against actual values of the first numeric target. */
function Against({ model, version, rows }) {
  const target = model.signature.targets.find(({ kind }) => kind === "numeric");
  const loaded = useLoaded(async (signal) => {
    if (!target) return null;
    const body = { rows: rows.map(({ values }) => inputsOf(model.signature, values)) };
    const answer = await send({ method: "POST", path: `${pathOf("models", model.id)}/predictions`, query: { version }, body }, signal);
    return { actual: rows.map((row) => truthOf(row, target, null)), predicted: valuesOf(answer, model.signature, target, null) };
  }, [model.id, version, rows]);
  const data = useMemo(() => {
    const { actual = [], predicted = [] } = loaded.value ?? {};
    const pairs = actual.map((value, index) => [value, predicted[index]]).filter(([value]) => value !== null).sort((a, b) => a[0] - b[0]);
    return [pairs.map(([value]) => value), pairs.map(([, value]) => value), pairs.map(([value]) => value)];
  }, [loaded.value]);
  if (!target || !loaded.value) return html`<${ErrorNotice} error=${loaded.error} />`;
  const series = [{ label: "predicted", kind: "points", colour: 1 }, { label: "exactly right", kind: "dashed", colour: 6, quiet: true }];
  return html`<h3>Predicted against actual</h3>
    <${Chart} name="Predicted against actual ${target.name}" data=${data} series=${series} xLabel="actual ${target.name}" yLabel="predicted" height=${280} />`;
}
