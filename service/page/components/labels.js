/** The labels of a thing: a click narrows its list by one, and "Edit" gives it others. */
import { html, useState } from "../lib/preact.js";
import { send } from "../lib/api.js";
import { remember } from "../lib/router.js";
import { TextField } from "./field.js";

/** @param {{path: string, row: any, onDone: () => void}} properties `path` is the thing's own */
export function Labels({ path, row, onDone }) {
  const [text, setText] = useState(/** @type {string | null} */ (null));
  const [error, setError] = useState(null);
  const named = row.name ?? row.id;
  const close = () => { setText(null); setError(null); };
  const save = (event) => {
    event.preventDefault();
    send(labelling(path, text)).then(() => { close(); onDone(); }, setError);
  };
  if (text === null) {
    return html`
      ${Object.entries(row.labels).map(([key, value]) => html`
        <button type="button" class="small label" key=${key} title="Only those with this label" onClick=${() => remember({ label: `${key}:${value}` })}>${key}: ${value}</button>`)}
      <button type="button" class="small label" aria-label="Edit the labels of ${named}" onClick=${() => setText(written(row.labels))}>Edit</button>`;
  }
  return html`
    <form class="confirm" aria-label="Labels of ${named}" onSubmit=${save}>
      <${TextField} label="Labels" value=${text} hint="key:value, separated by commas" fault=${error && error.message} onInput=${setText} />
      <button type="submit" class="small">Save</button> <button type="button" class="small" onClick=${close}>Leave them</button>
    </form>`;
}

function written(labels) {
  return Object.entries(labels).map(([key, value]) => `${key}:${value}`).join(", ");
}

/** The request that gives a thing the labels of a text. A piece without a colon goes on with the value before it. */
export function labelling(path, text) {
  /** @type {[string, string][]} */
  const pairs = [];
  for (const piece of text.split(",")) {
    const colon = piece.indexOf(":");
    const last = pairs.at(-1);
    if (colon >= 0) pairs.push([piece.slice(0, colon).trim(), piece.slice(colon + 1).trim()]);
    else if (last && piece.trim()) last[1] += `,${piece.trimEnd()}`;
    else if (piece.trim()) pairs.push([piece.trim(), ""]);
  }
  return { method: "PATCH", path, body: { labels: Object.fromEntries(pairs) } };
}
