/** A form made from the model's signature: it predicts as one types. */
import { html, useState } from "../../lib/preact.js";
import { pathOf, send } from "../../lib/api.js";
import { figure } from "../../lib/format.js";
import { useLoaded, useQuiet } from "../../lib/hooks.js";
import { remember } from "../../lib/router.js";
import { middleOf, readRows } from "../../lib/table_rows.js";
import { CheckField, NumberField, SelectField, TextField } from "../../components/field.js";
import { MadeBy } from "../../components/made_by.js";
import { Advice, ErrorNotice, Notice } from "../../components/notice.js";
import { Answer } from "./answer.js";

const QUIET = 200;
/** Milliseconds of a day: rows of a dataset have dates as days since 1970. */
const DAY = 86400000;
const LEVELS = [["", "no"], ["0.8", "80 %"], ["0.9", "90 %"], ["0.95", "95 %"]];

/** @param {{model: any, version: number, dataset: string | undefined, route: any}} properties `dataset`: what it has learnt from, if that is known */
export function Trying({ model, version, dataset, route }) {
  const { signature } = model;
  const middle = useLoaded(async (signal) => dataset && middleOf(signature, (await readRows(dataset, "train", signal)).rows), [dataset]);
  if (middle.loading && !middle.value) return null;
  return html`<${Form} model=${model} version=${version} middle=${middle.value || {}} route=${route} />`; // a dataset may have been deleted
}

function Form({ model, version, middle, route }) {
  const { signature } = model;
  const [row, setRow] = useState(() => Object.fromEntries(signature.features.map((feature) => [feature.name, firstOf(feature, middle[feature.name] ?? null)])));
  const [asked, setAsked] = useState(row);
  const askQuietly = useQuiet(setAsked, QUIET);
  const level = LEVELS.find(([key]) => key && key === route.query.get("sure"))?.[0] ?? "";
  const explains = route.query.get("explain") === "yes";
  const request = predicting(model, version, asked, level, explains);
  const answer = useLoaded((signal) => send(request, signal), [model.id, version, level, explains, JSON.stringify(asked)]);
  const set = (name, value) => {
    const next = { ...row, [name]: value };
    setRow(next);
    askQuietly(next);
  };
  const outside = answer.value?.extrapolation ?? [];
  return html`
    <section class="card" aria-labelledby="try">
      <h2 id="try">Try it</h2>
      <div class="pair">
        ${signature.features.map((feature) => html`<${Input} key=${feature.name} feature=${feature} value=${row[feature.name]}
          isOutside=${outside.some(({ column }) => column === feature.name)} onInput=${(value) => set(feature.name, value)} />`)}
        <${SelectField} label="Say how sure it is" value=${level} options=${LEVELS} onInput=${(sure) => remember({ sure })}
          hint="An interval, or a set of classes, that holds the true one with this chance." />
      </div>
      <${CheckField} label="Say what each column adds" value=${explains} onInput=${(is) => remember({ explain: is ? "yes" : "" })} />
      <${ErrorNotice} error=${answer.error} />
      ${outside.length > 0 && html`<${Notice} kind="advice" title="Beyond what it has learnt from:">
        ${outside.map(({ column }) => column).join(", ")}. There the network guesses.</${Notice}>`}
      <div aria-live="polite" aria-busy=${answer.loading}>
        ${answer.value && !answer.error && signature.targets.map((target) => html`<${Answer} key=${target.name} answer=${answer.value} signature=${signature} target=${target} />`)}
      </div>
      ${!answer.error && html`<${Advice} advice=${answer.value?.advice} />`}
      <${MadeBy} requests=${[["Predict", request]]} />
    </section>`;
}

function predicting(model, version, row, level, explain) {
  const { targets } = model.signature;
  const sure = {
    ...(targets.some(({ kind }) => kind === "numeric") && { interval: Number(level) }),
    ...(targets.some(({ kind }) => kind !== "numeric") && { sets: Number(level) }),
  };
  return { method: "POST", path: `${pathOf("models", model.id)}/predictions`, query: { version }, body: { rows: [row], ...(level && sure), ...(explain && { explain }) } };
}

/** A value to begin with: that of the row in the middle, if it is known, or the middle of what was seen, or the first class. */
function firstOf(feature, middle) {
  if (middle !== null && feature.dates) return new Date(Math.round(middle) * DAY).toISOString().slice(0, 10);
  if (middle !== null && (!feature.categories || feature.categories.includes(middle))) return typeof middle === "number" ? Number(middle.toPrecision(6)) : middle;
  if (feature.kind === "boolean") return false;
  if (feature.categories) return feature.categories[0] ?? null;
  if (feature.kind !== "numeric" || feature.min === null || feature.dates) return feature.kind === "numeric" && !feature.dates ? 0 : null;
  return Number(((feature.min + feature.max) / 2).toPrecision(4));
}

function Input({ feature, value, isOutside, onInput }) {
  const { name, kind, min, max, categories, fill } = feature;
  const missing = fill === null ? [] : [["", "missing"]];
  if (kind === "boolean") return html`<${SelectField} label=${name} value=${String(value ?? "")} options=${[...missing, ["false", "false"], ["true", "true"]]} onInput=${(text) => onInput(text ? text === "true" : null)} />`;
  if (categories) return html`<${SelectField} label=${name} value=${value ?? ""} options=${[...missing, ...categories.map((each) => [each, each])]} onInput=${(text) => onInput(text || null)} />`;
  if (feature.dates || kind !== "numeric") return html`<${TextField} label=${name} value=${value ?? ""} hint="A date, such as 2026-01-31." onInput=${(text) => onInput(text || null)} />`;
  const range = min === null ? "" : `It has seen ${figure(min, 5)} to ${figure(max, 5)}.`;
  return html`<${NumberField} label=${name} value=${value ?? ""} hint=${`${range}${fill === null ? "" : " Empty: missing."}`} fault=${isOutside ? "Outside of what it has seen." : null} onInput=${onInput} />`;
}
