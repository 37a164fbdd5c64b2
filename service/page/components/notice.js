/** Sentences that matter: news, advice, errors. */
import { html } from "../lib/preact.js";

const MARKS = { info: "i", good: "✓", advice: "!", error: "×" };

/** @param {{kind?: "info"|"good"|"advice"|"error", title?: string, children?: any}} properties */
export function Notice({ kind = "info", title, children }) {
  return html`
    <div class="notice ${kind}" role=${kind === "error" ? "alert" : "status"}>
      <span class="mark" aria-hidden="true">${MARKS[kind]}</span>
      <div>${title && html`<strong>${title}</strong> `}${children}</div>
    </div>`;
}

/** An error in the API's own words, with its faults. */
export function ErrorNotice({ error }) {
  if (!error) return null;
  const faults = (error.errors ?? []).filter((fault) => fault.detail !== error.message);
  return html`
    <${Notice} kind="error">
      ${error.message}
      ${faults.length > 0 && html`<ul>${faults.map((fault) => html`<li><code>${fault.pointer}</code> ${fault.detail}</li>`)}</ul>`}
    </${Notice}>`;
}

/** Advice as plans, datasets and jobs carry it. */
export function Advice({ advice }) {
  return (advice ?? []).map((each) => html`<${Notice} kind="advice" key=${each.code + each.detail}>${each.detail}</${Notice}>`);
}
