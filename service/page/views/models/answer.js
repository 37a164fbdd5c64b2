/** The answer for one row and one target: the number or the classes, how sure it is, and what each column adds. */
import { html } from "../../lib/preact.js";
import { figure } from "../../lib/format.js";
import { classesOf, valuesOf } from "../../lib/table_rows.js";
import { Table } from "../../components/table.js";

export function Answer({ answer, signature, target }) {
  const classes = classesOf(target);
  const explained = html`<${Explained} answer=${answer} signature=${signature} target=${target} />`;
  if (!classes.length) {
    return html`<p class="result">${target.name}: <strong>${figure(valuesOf(answer, signature, target, null)[0])}</strong>${between(answer, signature, target)}</p>${explained}`;
  }
  const labels = Array.isArray(answer.labels) ? answer.labels : answer.labels[target.name];
  const probabilities = Array.isArray(answer.probabilities) || answer.probabilities?.[target.name];
  const rows = classes.map((name) => ({ name: String(name), value: valuesOf(answer, signature, target, name)[0] })).sort((a, b) => b.value - a.value).slice(0, 10);
  const columns = [
    { label: target.name, heads: true, value: ({ name }) => name },
    { label: probabilities ? "Probability" : "Output", number: true, value: ({ value }) => (probabilities ? `${figure(100 * value, 3)} %` : figure(value, 4)) },
  ];
  return html`
    <p class="result">${target.name}: <strong>${String(labels[0])}</strong>${among(answer, target)}</p>
    <${Table} caption="Classes of ${target.name}" hidesCaption rows=${rows} columns=${columns} keyOf=${({ name }) => name} />
    ${explained}`;
}

const percent = (level) => `${figure(100 * level, 3)} %`;

/** The place of a target's first output. */
function placeOf(signature, target) {
  return signature.targets.slice(0, signature.targets.findIndex(({ name }) => name === target.name)).reduce((sum, { width }) => sum + width, 0);
}

function between({ intervals }, signature, target) {
  if (!intervals) return "";
  const place = placeOf(signature, target);
  return html`, with ${percent(intervals.level)} between ${figure(intervals.lower[0][place])} and ${figure(intervals.upper[0][place])}`;
}

function among({ label_sets: found }, target) {
  if (!found) return "";
  const [names] = Array.isArray(found.sets) ? found.sets : found.sets[target.name];
  return html`, with ${percent(found.level)} ${names.length > 1 ? "one of " : ""}${names.map(String).join(", ")}`;
}

/** What each column adds to the number, or to the output of the likeliest class. */
function Explained({ answer: { contributions, outputs }, signature, target }) {
  if (!contributions) return null;
  const place = placeOf(signature, target);
  const own = outputs[0].slice(place, place + target.width);
  const at = place + own.indexOf(Math.max(...own));
  const isClass = target.kind === "categorical";
  const rows = [
    { name: "starting from the average of the training rows", value: contributions.baseline[at] },
    ...contributions.columns.map((name, index) => ({ name, value: contributions.values[0][at][index] })).sort((a, b) => Math.abs(b.value) - Math.abs(a.value)),
  ];
  const columns = [
    { label: "Column", heads: true, value: ({ name }) => name },
    { label: isClass ? `adds to the output of ${target.categories[at - place]}` : `adds to ${target.name}`, number: true, value: ({ value }) => figure(value, 4) },
  ];
  return html`<${Table} caption="What each column adds" rows=${rows} columns=${columns} keyOf=${({ name }) => name} />`;
}
