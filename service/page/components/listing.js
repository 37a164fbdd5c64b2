/** A list of things of the API: searched, narrowed by a label, page by page, each deletable once its consequences are said. */
import { html, useEffect, useState } from "../lib/preact.js";
import { send } from "../lib/api.js";
import { useLoaded } from "../lib/hooks.js";
import { remember } from "../lib/router.js";
import { useTyped } from "../lib/typed.js";
import { TextField } from "./field.js";
import { Labels } from "./labels.js";
import { MadeBy } from "./made_by.js";
import { ErrorNotice } from "./notice.js";
import { Table } from "./table.js";

const PAGE = 50;

/**
 * @param {{path: string, noun: string, caption: string, route: any, columns: import("./table.js").Column[], byName?: boolean, byLabel?: boolean,
 *   filters?: any, query?: Record<string, any>, onRows?: (rows: any[]) => void, requests?: [string, any][], deletion: (row: any) => {request: any, consequences: string} | null}} properties
 */
export function Listing({ path, noun, caption, route, columns, byName = false, byLabel = true, filters = null, query = {}, onRows, requests = [], deletion }) {
  const [name, label] = [route.query.get("name") ?? "", route.query.get("label") ?? ""];
  const request = { path, query: { ...query, ...(byName && { name }), label: label.includes(":") ? label : "", limit: PAGE } };
  const key = JSON.stringify(request);
  const first = useLoaded((signal) => send(request, signal), [key]);
  const [more, setMore] = useState({ items: [], next: null });
  const [error, setError] = useState(null);
  const [, shownName, typeName] = useTyped(name, (text) => remember({ name: text }));
  const [, shownLabel, typeLabel] = useTyped(label, (text) => remember({ label: text }));
  useEffect(() => { setMore({ items: [], next: first.value?.next ?? null }); }, [first.value]);
  // An answer that comes after another search, or for a second click, is not of the rows that are shown.
  const readMore = () => send({ ...request, query: { ...request.query, after: more.next } })
    .then((page) => setMore((before) => (before === more ? { items: [...before.items, ...page.items], next: page.next } : before)), setError);
  const rows = [...(first.value?.items ?? []), ...more.items];
  useEffect(() => onRows?.(rows), [first.value, more]);
  const all = [
    ...columns,
    ...(byLabel ? [{ label: "Labels", value: (row) => html`<${Labels} path=${`${path}/${row.id}`} row=${row} onDone=${first.again} />` }] : []),
    { label: "Delete", value: (row) => html`<${Deletion} row=${row} of=${deletion(row)} onDone=${first.again} />` },
  ];
  return html`
    <div class="pair">
      ${byName && html`<${TextField} label="Name begins with" value=${shownName} onInput=${typeName} />`}
      ${byLabel && html`<${TextField} label="Label" value=${shownLabel} hint="key:value, such as team:blue" onInput=${typeLabel} />`}
      ${filters}
    </div>
    <${ErrorNotice} error=${error ?? first.error} />
    ${first.value && (rows.length
      ? html`<${Table} caption=${caption} hidesCaption stacks rows=${rows} columns=${all} keyOf=${(row) => row.id} />`
      : html`<p class="quiet">No ${noun} here${name || label ? " that the search leaves" : ""}. ${" "}<a href="#/own-data">Train on your own data</a>.</p>`)}
    ${more.next && html`<button type="button" onClick=${readMore}>Show more</button>`}
    <${MadeBy} requests=${[["List them", request], ...requests]} />`;
}

function Deletion({ row, of, onDone }) {
  const [asked, setAsked] = useState(false);
  const [error, setError] = useState(null);
  if (!of) return html`<span class="quiet">once it has ended</span>`;
  const act = () => send(of.request).then(onDone, (problem) => { setAsked(false); setError(problem); });
  if (!asked) {
    return html`<button type="button" class="small" aria-label="Delete ${row.name ?? row.id}" onClick=${() => setAsked(true)}>Delete</button>
      ${error && html`<p class="fault" role="alert">${error.message}</p>`}`;
  }
  return html`
    <div class="confirm" role="group" aria-label="Delete ${row.name ?? row.id}?">
      <p>${of.consequences}</p>
      <button type="button" class="small danger" onClick=${act}>Delete it</button> <button type="button" class="small" onClick=${() => setAsked(false)}>Keep it</button>
    </div>`;
}

/** When something was made, short. */
export function when(text) {
  return text ? html`<time datetime=${text}>${new Date(text).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}</time>` : "–";
}
