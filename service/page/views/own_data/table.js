/** The second step: the table as it would be read, and what is to be learnt from it. */
import { html } from "../../lib/preact.js";
import { counted, figure } from "../../lib/format.js";
import { CheckField, NumberField, SelectField, TextField } from "../../components/field.js";
import { Table } from "../../components/table.js";
import { Columns } from "./columns.js";
import { Problems } from "./problems.js";

const PERCENT = [0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4].map((share) => [String(share), share ? `${Math.round(share * 100)} %` : "none"]);
const MISSING = [["", "refuse them"], ["mean", "fill in the mean or the commonest class"], ["drop", "leave such rows out"]];

export function TableStep({ source, preview, names, options, onChange }) {
  const trainRows = Math.max(0, ...preview.statistics.columns.map(({ parts: { train } }) => train.count + train.missing));
  const isSample = source.isBeginning || preview.sampled;
  const problems = html`<${Problems} faults=${preview.faults} advice=${preview.advice} names=${names} options=${options} onChange=${onChange} />`;
  if (!names.length) return html`${problems}${source.isText && html`<section class="card"><${Reading} options=${options} onChange=${onChange} /></section>`}`;
  return html`
    ${problems}
    <section class="card" aria-labelledby="columns">
      <h2 id="columns">The columns</h2>
      <p class="quiet">${isSample
        ? html`<strong>A sample:</strong> the first ${counted(preview.rows_read, "row")} of the file.`
        : `All ${counted(preview.rows_read, "row")} of the file.`}${trainRows > 0 ? ` Ranges, histograms and counts of classes are of ${trainRows < preview.rows_read ? `the ${counted(trainRows, "training row")} alone` : "these"}.` : ""}</p>
      <${SelectField} label="What is to be predicted?" value=${options.targets[0] ?? ""} hint="More columns can be chosen below, each by its role."
        options=${[["", "Choose a column"], ...names.map((name) => [name, name])]}
        onInput=${(name) => onChange({ ...options, targets: name ? [name] : [], ignore: options.ignore.filter((each) => each !== name) })} />
      <${Columns} names=${names} preview=${preview} options=${options} onChange=${onChange} />
    </section>
    <section class="card" aria-labelledby="rows">
      <h2 id="rows">The rows</h2>
      <div class="pair">
        <${SelectField} label="Rows to judge while it trains" value=${String(options.validation)} options=${PERCENT}
          onInput=${(share) => onChange({ ...options, validation: Number(share) })} />
        <${SelectField} label="Rows to judge it afterwards" value=${String(options.test)} options=${PERCENT}
          onInput=${(share) => onChange({ ...options, test: Number(share) })} />
        <${SelectField} label="Rows to tell how sure it is" value=${String(options.calibration)} options=${PERCENT}
          onInput=${(share) => onChange({ ...options, calibration: Number(share) })} />
      </div>
      <${SelectField} label="Missing values" value=${options.missing[0] ?? ""} options=${known(MISSING, options.missing)}
        onInput=${(way) => onChange({ ...options, missing: way ? [way] : [] })} />
      ${preview.targets.some((target) => target.kind !== "numeric") && html`
        <${CheckField} label="Keep the share of each class in every part" value=${options.stratify}
          onInput=${(stratify) => onChange({ ...options, stratify })} />`}
      ${source.isText && html`<${Reading} options=${options} onChange=${onChange} />`}
      ${preview.first.length > 0 && html`<${FirstRows} rows=${preview.first} />`}
    </section>`;
}

/** Choices of a list and the present ones, which a remedy may have set otherwise. */
function known(choices, present) {
  const [first] = present;
  return !first || choices.some(([key]) => key === first) ? choices : [...choices, [first, present.join(", ")]];
}

function FirstRows({ rows }) {
  const names = Object.keys(rows[0]);
  const columns = names.map((name) => ({ label: name, number: typeof rows[0][name] === "number", value: (row) => shown(row[name]) }));
  return html`<${Table} caption="The first ${counted(rows.length, "row")} of the file" rows=${rows} columns=${columns} />`;
}

function shown(value) {
  if (value === null) return html`<span class="quiet">missing</span>`;
  return typeof value === "number" ? figure(value, 7) : String(value);
}

/** How a text is read, where the service guesses otherwise. */
function Reading({ options, onChange }) {
  const field = (word, label, more = {}) => html`
    <${TextField} label=${label} value=${options.reading[word] ?? ""} ...${more}
      onInput=${(text) => onChange({ ...options, reading: { ...options.reading, [word]: text } })} />`;
  return html`
    <details class="more">
      <summary>How the text is read</summary>
      <div class="pair">
        ${field("delimiter", "Between values", { hint: "One character, or whitespace; else guessed." })}
        ${field("decimal", "Before decimals", { hint: "A point, or a comma." })}
        ${field("thousands", "Between thousands")}
        ${field("encoding", "Encoding", { hint: "Such as latin-1; else UTF-8." })}
        <${NumberField} label="Lines to skip above the header" value=${options.reading.skip ?? ""} min="0" step="1"
          onInput=${(lines) => onChange({ ...options, reading: { ...options.reading, skip: lines } })} />
        <${TextField} label="Texts that stand for missing values" value=${options.missingValues.join(", ")} hint="Separated by commas."
          onInput=${(text) => onChange({ ...options, missingValues: text.split(",").map((each) => each.trim()).filter(Boolean) })} />
      </div>
      <${CheckField} label="The first line has the names" value=${options.reading.header !== "false"}
        onInput=${(header) => onChange({ ...options, reading: { ...options.reading, header: header ? "" : "false" } })} />
    </details>`;
}
