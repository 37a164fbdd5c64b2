/** What each row was predicted to be by the network that has not seen it, beside what is true. */
import { html, useMemo, useState } from "../../lib/preact.js";
import { send } from "../../lib/api.js";
import { count, counted, figure } from "../../lib/format.js";
import { useLoaded } from "../../lib/hooks.js";
import { readRows, rowsOf } from "../../lib/table_rows.js";
import { Chart } from "../../components/chart.js";
import { MadeBy } from "../../components/made_by.js";
import { ErrorNotice } from "../../components/notice.js";
import { Table } from "../../components/table.js";
import { predictionsOf } from "./requests.js";

const FEW = 20;

export function OutOfFold({ id, dataset }) {
  const [most, setMost] = useState(FEW);
  const loaded = useLoaded(async (signal) => {
    const [page, known] = await Promise.all([send(predictionsOf(id), signal), readRows(dataset.id, null, signal)]);
    const truth = new Map(known.rows.map(({ row, values }) => [row, values]));
    return { rows: page.items.map((each) => ({ ...each, truth: truth.get(each.row) ?? {} })), isAll: page.next === null };
  }, [id, dataset.id]);
  if (!loaded.value) return html`<${ErrorNotice} error=${loaded.error} />`;
  const { rows, isAll } = loaded.value;
  const classes = dataset.targets.filter(({ name }) => rows[0] && Object.hasOwn(rows[0].labels, name));
  const columns = [
    { label: "Row", heads: true, value: ({ row }) => row },
    { label: "Fold", value: ({ fold }) => fold + 1 },
    ...dataset.targets.flatMap((target, index) => [
      { label: target.name, value: ({ truth }) => shown(truth[target.name]) },
      { label: dataset.targets.length > 1 ? `it says for ${target.name}` : "it says", value: (row) => said(row, target, dataset.targets, index) },
    ]),
  ];
  return html`
    <section class="card" aria-labelledby="out-of-fold">
      <h2 id="out-of-fold">Rows out of their folds</h2>
      <p class="quiet">${isAll ? `All ${counted(rows.length, "row")}` : `The first ${counted(rows.length, "row")}`} that train or validate, each predicted by the network that has not learnt from it.</p>
      ${classes.map(({ name }) => html`<p key=${name}>${right(rows, name)}</p>`)}
      ${!classes.length && html`<${Against} rows=${rows} target=${dataset.targets[0]} />`}
      <${Table} caption="Predictions out of folds" hidesCaption rows=${rows.slice(0, most)} columns=${columns} keyOf=${({ row }) => row} />
      ${most < rows.length && html`<button type="button" onClick=${() => setMost(most + 10 * FEW)}>Show more</button>`}
      <${MadeBy} requests=${[["Read the predictions", predictionsOf(id)], ["Read the rows", rowsOf(dataset.id, null)]]} />
    </section>`;
}

const shown = (value) => (typeof value === "number" ? figure(value, 5) : String(value ?? "–"));

function said(row, target, targets, index) {
  const [label, truth] = [row.labels[target.name], row.truth[target.name] ?? null];
  if (Object.hasOwn(row.labels, target.name)) return html`<span class=${truth === null ? "" : label === truth ? "right" : "wrong"}>${shown(label)}</span>`;
  return shown(row.outputs[targets.slice(0, index).reduce((sum, { width }) => sum + width, 0)]);
}

function right(rows, name) {
  const known = rows.filter(({ truth }) => truth[name] !== null && truth[name] !== undefined);
  return `${name}: ${count(known.filter(({ truth, labels }) => truth[name] === labels[name]).length)} of ${counted(known.length, "row")} are right.`;
}

function Against({ rows, target }) {
  const data = useMemo(() => {
    const pairs = rows.map(({ truth, outputs }) => [truth[target.name], outputs[0]]).filter(([value]) => typeof value === "number").sort((a, b) => a[0] - b[0]);
    const actual = pairs.map(([value]) => value);
    return [actual, pairs.map(([, value]) => value), actual];
  }, [rows]);
  const series = [{ label: "predicted", kind: "points", colour: 1 }, { label: "exactly right", kind: "dashed", colour: 6, quiet: true }];
  return html`<${Chart} name="Predicted against actual ${target.name}, out of folds" data=${data} series=${series} xLabel="actual ${target.name}" yLabel="predicted" height=${280} />`;
}
