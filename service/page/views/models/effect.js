/** The effect of one or two columns: mean outputs over the rows where these are set to value after value. */
import { html, useMemo } from "../../lib/preact.js";
import { pathOf, send } from "../../lib/api.js";
import { count, figure } from "../../lib/format.js";
import { useLoaded } from "../../lib/hooks.js";
import { remember } from "../../lib/router.js";
import { Chart } from "../../components/chart.js";
import { SelectField } from "../../components/field.js";
import { MadeBy } from "../../components/made_by.js";
import { ErrorNotice } from "../../components/notice.js";
import { Table } from "../../components/table.js";
import { Surface } from "../../components/surface.js";

const MOST_LINES = 6;

/** @param {{model: any, version: number, dataset: any, most: string | null, route: any}} properties `most`: the column that matters most, where that is known */
export function Effect({ model, version, dataset, most, route }) {
  const names = model.signature.features.map(({ name }) => name);
  const named = (word, from) => (from.includes(route.query.get(word)) ? route.query.get(word) : null);
  const first = named("of", names) ?? names.find((name) => name === most) ?? names[0];
  const second = named("and", names.filter((name) => name !== first));
  const outputs = outputsOf(model.signature);
  const asked = outputs.findIndex(({ label }) => label === route.query.get("output"));
  const chosen = asked < 0 && outputs.every(({ isClass }) => isClass) ? outputs.length - 1 : Math.max(0, asked);
  const request = { path: `${pathOf("models", model.id)}/effect`, query: { dataset: dataset.id, feature: second ? [first, second] : [first], version } };
  const loaded = useLoaded((signal) => send(request, signal), [JSON.stringify(request)]);
  const others = names.filter((name) => name !== first);
  return html`
    <section class="card" aria-labelledby="effect" aria-busy=${loaded.loading}>
      <h2 id="effect">What a column does</h2>
      <div class="pair">
        <${SelectField} label="Effect of" value=${first} options=${names.map((name) => [name, name])} onInput=${(of) => remember({ of, and: "" })} />
        ${others.length > 0 && html`<${SelectField} label="Together with" value=${second ?? ""} options=${[["", "nothing else"], ...others.map((name) => [name, name])]} onInput=${(and) => remember({ and })} />`}
        ${outputs.length > 1 && html`<${SelectField} label="On" value=${outputs[chosen].label} options=${outputs.map(({ label }) => [label, label])} onInput=${(output) => remember({ output })} />`}
      </div>
      <${ErrorNotice} error=${loaded.error} />
      ${loaded.value && !loaded.error && html`
        <p class="quiet">The mean over ${count(loaded.value.rows)} training rows of what the network says where ${second ? "the two columns have" : "the column has"} each value, and all others stay as they are.
          ${outputs[chosen].isRaw ? " For a class, that is its raw output, from which probabilities are made: the higher, the likelier." : ""}</p>
        <${Shown} effect=${loaded.value} at=${chosen} label=${outputs[chosen].label} mean=${`mean ${outputs[chosen].isRaw ? "raw output " : ""}of ${outputs[chosen].label}`} />`}
      <${MadeBy} requests=${[["Ask for the effect", request]]} />
    </section>`;
}

/** The outputs by name: numbers, or the classes of a target. */
function outputsOf({ targets, link }) {
  return targets.flatMap(({ name, kind, categories }) => {
    if (kind === "numeric") return [{ label: name, isRaw: false, isClass: false }];
    const isRaw = link !== "identity";
    const named = kind === "boolean" ? [name] : categories.map((each) => `${name} = ${each}`);
    return named.map((label) => ({ label, isRaw, isClass: true }));
  });
}

function Shown({ effect, at, label, mean }) {
  const [first, second] = effect.features;
  const isNumeric = ({ values }) => values.every((value) => typeof value === "number");
  if (!second) {
    const values = effect.outputs.map((outputs) => outputs[at]);
    return isNumeric(first) ? html`<${Lines} along=${first} lines=${[[label, values]]} label=${label} mean=${mean} />` : html`<${Numbers} rows=${first} columns=${null} values=${values.map((value) => [value])} mean=${mean} />`;
  }
  const values = effect.outputs.map((row) => row.map((outputs) => outputs[at]));
  if (isNumeric(first) && isNumeric(second)) return html`<${Over} first=${first} second=${second} values=${values} mean=${mean} />`;
  const turned = second.values.map((_, place) => values.map((row) => row[place]));
  if (isNumeric(first) && second.values.length <= MOST_LINES) return html`<${Lines} along=${first} lines=${second.values.map((value, place) => [`${second.column} = ${value}`, turned[place]])} label=${label} mean=${mean} />`;
  if (isNumeric(second) && first.values.length <= MOST_LINES) return html`<${Lines} along=${second} lines=${first.values.map((value, place) => [`${first.column} = ${value}`, values[place]])} label=${label} mean=${mean} />`;
  return html`<${Numbers} rows=${first} columns=${second} values=${values} mean=${mean} />`;
}

function Lines({ along, lines, label, mean }) {
  const data = useMemo(() => [along.values, ...lines.map(([, values]) => values)], [along, lines]);
  const series = lines.map(([name], index) => ({ label: name, colour: index + 1 }));
  return html`<${Chart} name="Effect of ${along.column} on ${label}" data=${data} series=${series} xLabel=${along.column} yLabel=${mean} height=${280} />`;
}

function Over({ first, second, values, mean }) {
  const side = ({ column, values: places }) => ({ name: column, min: places[0], max: places.at(-1) });
  const places = useMemo(() => ({ xs: first.values, ys: second.values, rows: [] }), [first, second]);
  const flat = useMemo(() => second.values.flatMap((_, row) => first.values.map((__, column) => values[column][row])), [values]);
  return html`<${Surface} places=${places} values=${flat} along=${side(first)} across=${side(second)} actual=${NO_ROWS} name=${mean} />`;
}

const NO_ROWS = [];

/** Means by category, or by two of them. */
function Numbers({ rows, columns, values, mean }) {
  const heads = columns ? columns.values.map((value) => `${columns.column} = ${value}`) : [mean];
  const shown = [
    { label: rows.column, heads: true, value: ({ index }) => String(rows.values[index]) },
    ...heads.map((head, column) => ({ label: head, number: true, value: ({ index }) => figure(values[index][column], 4) })),
  ];
  return html`<${Table} caption=${`M${mean.slice(1)}`} hidesCaption=${!columns} rows=${values.map((_, index) => ({ index }))} columns=${shown} />`;
}
