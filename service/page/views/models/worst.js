/** The rows that a version is farthest off for: what is true, what it says, and the row's own inputs. */
import { html } from "../../lib/preact.js";
import { figure } from "../../lib/format.js";
import { Table } from "../../components/table.js";

const MOST_INPUTS = 8;

/** @param {{evaluation: any, signature: any, rows: any[]}} properties `rows` of the part, as far as they were read */
export function Worst({ evaluation, signature, rows }) {
  const targets = signature?.targets ?? [];
  const values = new Map(rows.map((row) => [row.row, row.values]));
  const features = (signature?.features ?? []).slice(0, MOST_INPUTS);
  const columns = [
    { label: "Row", heads: true, value: ({ row }) => row },
    ...targets.flatMap((target, index) => [
      { label: target.name, value: (row) => shown(row.targets[index]) },
      { label: targets.length > 1 ? `it says for ${target.name}` : "it says", value: (row) => shown(said(target, ownOutputs(targets, index, row.outputs), signature.link)) },
    ]),
    { label: "Off by", value: ({ residual }) => figure(residual, 4) },
    ...(values.size ? features.map(({ name }) => ({ label: name, value: ({ row }) => shown(values.get(row)?.[name]) })) : []),
  ];
  return html`<h3>The worst rows</h3>
    <p class="quiet">Rows are counted from 0, in the order of the data and without the header; a text in quotes may take several lines of a file. ${targets.some(({ kind }) => kind !== "numeric") ? "Of a class it is off by 1 less the probability of the true one." : ""}</p>
    <${Table} caption="The rows that are farthest off" hidesCaption rows=${evaluation.residuals} columns=${columns} keyOf=${({ row }) => row} />`;
}

const shown = (value) => (typeof value === "number" ? figure(value, 5) : String(value ?? "–"));

function ownOutputs(targets, index, outputs) {
  const start = targets.slice(0, index).reduce((sum, { width }) => sum + width, 0);
  return outputs.slice(start, start + targets[index].width);
}

/** What the outputs of one target say: the number, or the likeliest class. */
function said({ kind, categories }, outputs, link) {
  if (kind === "numeric") return outputs[0];
  if (kind === "boolean") return outputs[0] > (link === "sigmoid" ? 0 : 0.5);
  return categories[outputs.indexOf(Math.max(...outputs))];
}
