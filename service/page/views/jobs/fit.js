/** The fit of an epoch over one's own rows: a curve along one input, a surface over two, and the residuals. */
import { html, useMemo } from "../../lib/preact.js";
import { pathOf, send } from "../../lib/api.js";
import { count, counted, figure } from "../../lib/format.js";
import { useLoaded } from "../../lib/hooks.js";
import { remember } from "../../lib/router.js";
import { useScrubbed } from "../../lib/scrubbed.js";
import { classesOf, inputsOf, middleOf, MOST_ROWS, nameOfPart, PARTS, readRows, rowsOf, truthOf, valuesOf } from "../../lib/table_rows.js";
import { Chart } from "../../components/chart.js";
import { SelectField } from "../../components/field.js";
import { MadeBy } from "../../components/made_by.js";
import { ErrorNotice } from "../../components/notice.js";
import { Surface } from "../../components/surface.js";

const CURVE = 100;
const SIDE = 24;
/** Rows of the request that is shown. */
const FEW = 3;

export function Fit({ job, signature, epoch, cache, route }) {
  const part = route.query.get("part") ?? "train";
  const loaded = useLoaded(async (signal) => ({ part, ...(await readRows(job.dataset, part, signal)) }), [job.dataset, part]);
  const choice = choiceOf(route, signature);
  const { along, across } = choice;
  const places = useMemo(() => loaded.value && placesOf(signature, choice, loaded.value), [signature, loaded.value, along?.name, across?.name]);
  const answer = useScrubbed(async (signal) => {
    if (!places) return null;
    const key = `fit ${epoch} ${places.part} ${along?.name} ${across?.name}`;
    if (!cache.has(key)) cache.set(key, await send(predicting(job, epoch, places.inputs), signal));
    return { places, answer: cache.get(key) };
  }, [places, epoch]);
  return html`
    <section class="card" aria-labelledby="fit" aria-busy=${answer.loading}>
      <h2 id="fit">The fit over your rows</h2>
      <${Choices} choice=${choice} signature=${signature} part=${part} />
      <${ErrorNotice} error=${loaded.error ?? answer.error} />
      ${loaded.value && html`<p class="quiet">${counted(Math.min(loaded.value.rows.length, MOST_ROWS), "row")} of the ${nameOfPart(loaded.value.part)} part${loaded.value.isAll ? "" : ", a sample from its beginning"}.
        ${signature.features.length > 1 && along ? " The other columns are at their median or commonest category." : ""}</p>`}
      ${answer.value && html`<${Shown} ...${answer.value} choice=${choice} signature=${signature} />`}
      ${places && html`<${MadeBy} requests=${[["Read the rows", rowsOf(job.dataset, part)], [`Predict${places.inputs.length > FEW ? `, here ${FEW} of ${count(places.inputs.length)} rows` : ""}`, predicting(job, epoch, places.inputs.slice(0, FEW))]]} />`}
    </section>`;
}

function predicting(job, epoch, rows) {
  return { method: "POST", path: `${pathOf("models", job.model)}/predictions`, query: { version: job.version, epoch }, body: { rows } };
}

/** What the address chooses, or what comes first. */
function choiceOf({ query }, signature) {
  const numeric = signature.features.filter((feature) => feature.kind === "numeric" && !feature.dates && feature.min !== null);
  const named = (name, from) => from.find((each) => each.name === query.get(name)) ?? null;
  const along = named("along", numeric) ?? numeric[0] ?? null;
  const across = numeric.length > 1 ? named("across", numeric.filter((each) => each !== along)) : null;
  const target = named("target", signature.targets) ?? signature.targets[0];
  const classes = classesOf(target);
  const ofClass = classes.find((each) => String(each) === query.get("class")) ?? classes.at(-1) ?? null;
  return { numeric, along, across, target, classes, ofClass };
}

function Choices({ choice: { numeric, along, across, target, classes, ofClass }, signature, part }) {
  const named = (list) => list.map(({ name }) => [name, name]);
  return html`
    <div class="pair">
      ${numeric.length > 0 && html`<${SelectField} label="Along" value=${along.name} options=${named(numeric)} onInput=${(name) => remember({ along: name })} />`}
      ${numeric.length > 1 && html`<${SelectField} label="And" value=${across?.name ?? ""} options=${[["", "nothing else: a curve"], ...named(numeric.filter((each) => each !== along))]}
        onInput=${(name) => remember({ across: name })} />`}
      ${signature.targets.length > 1 && html`<${SelectField} label="Target" value=${target.name} options=${named(signature.targets)} onInput=${(name) => remember({ target: name, class: "" })} />`}
      ${classes.length > 1 && html`<${SelectField} label="Probability of" value=${String(ofClass)} options=${classes.map((each) => [String(each), String(each)])}
        onInput=${(name) => remember({ class: name })} />`}
      <${SelectField} label="Rows" value=${part} options=${PARTS} onInput=${(name) => remember({ part: name })} />
    </div>`;
}

/** The places where the network is asked: a line or a grid, then the rows; at most `MOST_ROWS` in all. */
function placesOf(signature, { along, across }, { part, rows }) {
  const middle = middleOf(signature, rows);
  const between = (feature, steps) => Array.from({ length: steps }, (_, step) => feature.min + ((feature.max - feature.min) * step) / (steps - 1));
  const xs = along ? between(along, across ? SIDE : CURVE) : [];
  const ys = across ? between(across, SIDE) : [];
  const drawn = across
    ? ys.flatMap((y) => xs.map((x) => ({ ...middle, [along.name]: x, [across.name]: y })))
    : xs.map((x) => ({ ...middle, [along.name]: x }));
  const seen = rows.slice(0, MOST_ROWS - drawn.length);
  return { part, along, across, xs, ys, drawn: drawn.length, rows: seen, inputs: [...drawn, ...seen.map(({ values }) => inputsOf(signature, values))] };
}

/** The target and the class are those of the present choice; the part and the columns are those that `answer` is of. */
function Shown({ places, answer, choice: { target, ofClass }, signature }) {
  const { part, along, across } = places;
  const name = ofClass === null ? target.name : `probability of ${target.name} = ${ofClass}`;
  const [drawn, predicted, actual] = useMemo(() => {
    const values = valuesOf(answer, signature, target, ofClass);
    return [values.slice(0, places.drawn), values.slice(places.drawn), places.rows.map((row) => truthOf(row, target, ofClass))];
  }, [places, answer, signature, target.name, ofClass]);
  return html`
    ${along && across && html`<${Surface} places=${places} values=${drawn} along=${along} across=${across} actual=${actual} name=${name} />`}
    ${along && !across && html`<${Curve} places=${places} values=${drawn} along=${along} actual=${actual} name=${name} />`}
    <${Residuals} predicted=${predicted} actual=${actual} isClass=${ofClass !== null} part=${part} name=${name} />`;
}

function Curve({ places, values, along, actual, name }) {
  const data = useMemo(() => {
    const all = [
      ...places.xs.map((x, index) => [x, values[index], null]),
      ...places.rows.map((row, index) => [row.values[along.name], null, actual[index]]),
    ].filter(([x]) => x !== null && x !== undefined).sort((a, b) => a[0] - b[0]);
    return [0, 1, 2].map((column) => all.map((each) => each[column]));
  }, [places, along.name, values, actual]);
  const series = [{ label: "the network", colour: 3, quiet: true }, { label: "your rows", kind: "points", colour: 1 }];
  return html`<${Chart} name="${name} along ${along.name}" data=${data} series=${series} xLabel=${along.name} yLabel=${name} height=${280} />`;
}

const BINS = 25;
const ROWS_OF = {
  train: "of the training part, which it learnt from,", validation: "of the validation part, which judged it meanwhile,",
  test: "of the test part, which it has not seen,", calibration: "of the calibration part, which tells how sure it is,",
};

/** How far off the rows are: a histogram of predicted minus actual. */
function Residuals({ predicted, actual, isClass, part, name }) {
  const residuals = useMemo(
    () => predicted.map((value, index) => (value === null || actual[index] === null ? null : value - actual[index])).filter((value) => value !== null),
    [predicted, actual],
  );
  const data = useMemo(() => histogramOf(residuals), [residuals]);
  if (!residuals.length) return html`<p class="quiet">No rows have a value to compare with.</p>`;
  const rmse = Math.sqrt(residuals.reduce((sum, value) => sum + value * value, 0) / residuals.length);
  const right = residuals.filter((value) => Math.abs(value) < 0.5).length;
  const rows = `${counted(residuals.length, "row")} ${ROWS_OF[part] ?? ""}`;
  return html`
    <h3>Residuals</h3>
    <p>${isClass ? `${count(right)} of ${rows} are on the right side of one half.` : `The ${rows} are ${figure(rmse, 4)} off, as a root mean square.`}</p>
    <${Chart} name="Residuals of ${name}: predicted minus actual" data=${data} series=${[{ label: "rows", kind: "bars", colour: 1 }]} xLabel="predicted minus actual" xRange=${rangeOf(data[0])} yLabel="rows" height=${180} />`;
}

/** From the outer edge of the first bar to that of the last. @returns {[number, number]} */
function rangeOf(middles) {
  const half = (middles[1] - middles[0]) / 2;
  return [middles[0] - half, middles[middles.length - 1] + half];
}

function histogramOf(values) {
  const size = Math.max(...values.map(Math.abs), 1e-12);
  const counts = new Array(BINS).fill(0);
  for (const value of values) counts[Math.min(BINS - 1, Math.floor(((value + size) / (2 * size)) * BINS))] += 1;
  return [counts.map((_, index) => -size + (2 * size * (index + 0.5)) / BINS), counts];
}
