/** A small picture of the values of a column. */
import { html } from "../../lib/preact.js";
import { count, figure } from "../../lib/format.js";

const MOST_CLASSES = 12;

/** @param {{summary: any}} properties a column's statistics for one part */
export function Histogram({ summary }) {
  if (summary.categories) return html`<${Classes} categories=${summary.categories} />`;
  if (!summary.histogram) return null;
  const { counts, edges } = summary.histogram;
  const most = Math.max(1, ...counts);
  const words = `Histogram from ${figure(edges[0], 4)} to ${figure(edges.at(-1), 4)}: ${counts.map(count).join(", ")}`;
  return html`
    <svg class="histogram" viewBox="0 0 ${counts.length * 10} 40" preserveAspectRatio="none" role="img" aria-label=${words}>
      ${counts.map((each, index) => html`<rect x=${index * 10 + 0.5} y=${40 - (39 * each) / most} width="9" height=${(39 * each) / most} />`)}
    </svg>`;
}

function Classes({ categories }) {
  const all = Object.entries(categories).sort(([, a], [, b]) => b - a);
  const most = Math.max(1, all[0]?.[1] ?? 1);
  const shown = all.slice(0, MOST_CLASSES);
  return html`
    <ul class="classes">
      ${shown.map(([name, rows]) => html`
        <li key=${name}><span class="class-name">${name}</span>
          <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width=${(100 * rows) / most} height="8" /></svg> <span>${count(rows)}</span></li>`)}
      ${all.length > shown.length && html`<li class="quiet">and ${count(all.length - shown.length)} more</li>`}
    </ul>`;
}
