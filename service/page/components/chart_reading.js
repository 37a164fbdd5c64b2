/** A chart in words: the value under the arrow keys, and a table of some of its numbers. */
import { html } from "../lib/preact.js";
import { figure } from "../lib/format.js";

const MOST_ROWS = 20;

/** Return the index that a key leads to from `at`, or null for other keys. */
export function stepOf(key, at, length) {
  const page = Math.max(1, Math.round(length / 10));
  const from = at ?? -1;
  const next = {
    ArrowRight: from + 1, ArrowLeft: at === null ? length - 1 : from - 1,
    PageDown: from + page, PageUp: from - page, Home: 0, End: length - 1,
  }[key];
  return next === undefined || length === 0 ? null : Math.min(length - 1, Math.max(0, next));
}

/** Return what stands at one place: "epoch 12: training loss 0.5". */
export function said(data, series, xLabel, at) {
  const [xs, ...rest] = data;
  const values = series
    .map((each, index) => ({ each, value: rest[index][at] }))
    .filter(({ each, value }) => !each.quiet && value !== null && value !== undefined)
    .map(({ each, value }) => `${each.label} ${figure(value)}`);
  return `${xLabel} ${figure(xs[at])}: ${values.join(", ") || "no value"}`;
}

/** At most twenty places of the chart, evenly apart, as a table that is heard and not seen. */
export function ChartTable({ name, data, series, xLabel }) {
  const [xs, ...rest] = data;
  const told = series.map((each, index) => ({ each, values: rest[index] })).filter(({ each }) => !each.quiet);
  const places = xs.map((_, index) => index).filter((index) => told.some(({ values }) => values[index] !== null && values[index] !== undefined));
  const rows = thinned(places);
  return html`
    <div class="visually-hidden">
      <table>
        <caption>${name}${rows.length < places.length ? `, ${rows.length} of ${places.length} places` : ""}</caption>
        <thead><tr><th scope="col">${xLabel}</th>${told.map(({ each }) => html`<th scope="col">${each.label}</th>`)}</tr></thead>
        <tbody>
          ${rows.map((index) => html`<tr key=${index}><th scope="row">${figure(xs[index])}</th>${told.map(({ values }) => html`<td>${figure(values[index])}</td>`)}</tr>`)}
        </tbody>
      </table>
    </div>`;
}

function thinned(places) {
  if (places.length <= MOST_ROWS) return places;
  const step = (places.length - 1) / (MOST_ROWS - 1);
  return Array.from({ length: MOST_ROWS }, (_, index) => places[Math.round(index * step)]);
}
