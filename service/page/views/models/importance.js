/** The columns that matter: the rise of the loss when a column's values are dealt out anew among the rows. */
import { html, useEffect } from "../../lib/preact.js";
import { send } from "../../lib/api.js";
import { figure } from "../../lib/format.js";
import { useLoaded } from "../../lib/hooks.js";
import { remember } from "../../lib/router.js";
import { MadeBy } from "../../components/made_by.js";
import { ErrorNotice } from "../../components/notice.js";
import { Table } from "../../components/table.js";
import { evaluated, evaluating } from "./evaluations.js";

export function Importance({ model, version, dataset, part, route, onKnown }) {
  const isAsked = route.query.get("matters") === "yes";
  const request = evaluating(model, version, dataset, part, { importance: true });
  const loaded = useLoaded(async (signal) => (await evaluated(model, version, dataset, part, ({ importance }) => importance, signal)) ?? (isAsked ? send(request, signal) : null), [isAsked, model.id, version, dataset.id, part]);
  const columns = loaded.value?.importance ?? [];
  useEffect(() => { if (isAsked || !loaded.loading) onKnown(columns[0]?.column ?? null); }, [isAsked, loaded.loading, loaded.value]);
  const most = Math.max(0, ...columns.map(({ mean }) => mean ?? 0));
  const shown = [
    { label: "Column", heads: true, value: ({ column }) => column },
    { label: "", value: ({ mean }) => html`<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width=${most > 0 ? (100 * Math.max(0, mean ?? 0)) / most : 0} height="8" /></svg>` },
    { label: "Rise of the loss", number: true, value: ({ mean, std }) => `${figure(mean, 4)} ± ${figure(std, 2)}` },
  ].map((column) => (column.label ? column : { ...column, label: html`<span class="visually-hidden">As a bar</span>` }));
  return html`
    <section class="card" aria-labelledby="matters" aria-busy=${loaded.loading}>
      <h2 id="matters">The columns that matter</h2>
      <p class="quiet">How much worse the version gets on these rows when the values of one column are dealt out anew among them.</p>
      <${ErrorNotice} error=${loaded.error} />
      ${!isAsked && !loaded.loading && !loaded.value && html`<button type="button" onClick=${() => remember({ matters: "yes" })}>Measure it</button>`}
      ${isAsked && loaded.loading && html`<p class="quiet" role="status">Measuring …</p>`}
      ${columns.length > 0 && !loaded.error && html`<${Table} caption="The columns that matter, the most first" hidesCaption rows=${columns} columns=${shown} keyOf=${({ column }) => column} />`}
      ${(isAsked || loaded.value) && html`<${MadeBy} requests=${[["Measure it", request]]} />`}
    </section>`;
}
