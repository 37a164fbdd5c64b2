/** The columns of the table: the role and the kind of each, and what the rows seen hold. */
import { html, useState } from "../../lib/preact.js";
import { count, figure } from "../../lib/format.js";
import { SelectField } from "../../components/field.js";
import { Histogram } from "./histogram.js";
import { roleOf, withRole } from "./options.js";

const FEW = 24;
const ROLES = [["input", "Input"], ["target", "To predict"], ["ignore", "Left out"]];
const KINDS = [["numeric", "Numbers"], ["boolean", "Yes or no"], ["categorical", "Categories"], ["date", "Dates"]];

export function Columns({ names, preview, options, onChange }) {
  const [showsAll, showAll] = useState(false);
  const shown = showsAll ? names : names.slice(0, FEW);
  const kinds = new Map([...preview.features, ...preview.targets].map((column) => [column.name, column.kind]));
  const statistics = new Map(preview.statistics.columns.map((column) => [column.name, column.parts]));
  return html`
    <ul class="cards">
      ${shown.map((name) => html`<${ColumnCard} key=${name} name=${name} kind=${kinds.get(name)} parts=${statistics.get(name)}
        options=${options} onChange=${onChange} />`)}
    </ul>
    ${shown.length < names.length && html`
      <button type="button" onClick=${() => showAll(true)}>Show all ${count(names.length)} columns</button>`}`;
}

function ColumnCard({ name, kind, parts, options, onChange }) {
  const role = roleOf(options, name);
  const known = options.types[name] ?? kind ?? "numeric";
  return html`
    <li class="column ${role}">
      <h3>${name}</h3>
      <div class="pair">
        <${SelectField} label=${html`Role <span class="visually-hidden">of ${name}</span>`} value=${role} options=${ROLES}
          onInput=${(chosen) => onChange(withRole(options, name, chosen))} />
        ${role !== "ignore" && html`
          <${SelectField} label=${html`Kind <span class="visually-hidden">of ${name}</span>`} value=${known} options=${KINDS}
            onInput=${(chosen) => onChange({ ...options, types: { ...options.types, [name]: chosen } })} />`}
      </div>
      ${role !== "ignore" && parts && html`<${Summary} parts=${parts} />`}
    </li>`;
}

function Summary({ parts }) {
  const { train } = parts;
  if (Object.values(parts).every((part) => part.count === 0)) return html`<p class="quiet small">No value could be read.</p>`;
  const missing = Object.values(parts).reduce((sum, part) => sum + part.missing, 0);
  const range = train.min === null ? null : `${figure(train.min, 4)} to ${figure(train.max, 4)}, mean ${figure(train.mean, 4)}`;
  return html`
    <${Histogram} summary=${train} />
    <p class="quiet small">${[range, missing > 0 && `${count(missing)} missing`].filter(Boolean).join("; ")}</p>`;
}
