/** A table with a caption; wide ones scroll in a region that the keyboard reaches. */
import { html } from "../lib/preact.js";

/**
 * @typedef {object} Column
 * @property {string} label
 * @property {(row: any) => any} value what a cell shows: text, a number or elements
 * @property {boolean} [number] aligned to the right
 * @property {boolean} [heads] it names its row
 */

/** @param {{caption: string, columns: Column[], rows: any[], hidesCaption?: boolean, keyOf?: (row: any, index: number) => any}} properties */
export function Table({ caption, columns, rows, hidesCaption = false, keyOf = (_, index) => index }) {
  return html`
    <div class="table" tabindex="0" role="region" aria-label=${caption}>
      <table>
        <caption class=${hidesCaption ? "visually-hidden" : ""}>${caption}</caption>
        <thead><tr>${columns.map((column) => html`<th scope="col" class=${column.number ? "number" : ""}>${column.label}</th>`)}</tr></thead>
        <tbody>
          ${rows.map((row, index) => html`<tr key=${keyOf(row, index)}>${columns.map((column) => cell(column, row))}</tr>`)}
        </tbody>
      </table>
    </div>`;
}

function cell(column, row) {
  const kind = column.number ? "number" : "";
  return column.heads
    ? html`<th scope="row" class=${kind}>${column.value(row)}</th>`
    : html`<td class=${kind}>${column.value(row)}</td>`;
}
