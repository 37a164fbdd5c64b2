/** A table with a caption; wide ones scroll in a region that the keyboard reaches, or become a list of things on a phone. */
import { html } from "../lib/preact.js";

/**
 * @typedef {object} Column
 * @property {string} label
 * @property {(row: any) => any} value what a cell shows: text, a number or elements
 * @property {boolean} [number] aligned to the right
 * @property {boolean} [heads] it names its row
 */

/** @param {{caption: string, columns: Column[], rows: any[], hidesCaption?: boolean, stacks?: boolean, keyOf?: (row: any, index: number) => any}} properties */
export function Table({ caption, columns, rows, hidesCaption = false, stacks = false, keyOf = (_, index) => index }) {
  return html`
    <div class="table" tabindex="0" role="region" aria-label=${caption}>
      <table class=${stacks ? "stacks" : ""} role="table">
        <caption class=${hidesCaption ? "visually-hidden" : ""}>${caption}</caption>
        <thead role="rowgroup"><tr role="row">${columns.map((column) => html`<th scope="col" role="columnheader" class=${column.number ? "number" : ""}>${column.label}</th>`)}</tr></thead>
        <tbody role="rowgroup">
          ${rows.map((row, index) => html`<tr role="row" key=${keyOf(row, index)}>${columns.map((column) => cell(column, row))}</tr>`)}
        </tbody>
      </table>
    </div>`;
}

// Roles are written out: browsers forget them where a style shows rows as blocks.
function cell(column, row) {
  const kind = column.number ? "number" : "";
  return column.heads
    ? html`<th scope="row" role="rowheader" class=${kind}>${column.value(row)}</th>`
    : html`<td role="cell" class=${kind} data-label=${column.label}>${column.value(row)}</td>`;
}
