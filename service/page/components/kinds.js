/** Links between the three lists of trainings: single ones, searches and cross-validations. */
import { html } from "../lib/preact.js";

const LISTS = { jobs: "Single trainings", sweeps: "Searches", "cross-validations": "Cross-validations" };

export function Kinds({ present }) {
  return html`
    <nav class="choices" aria-label="Kinds of trainings">
      ${Object.entries(LISTS).map(([name, label]) => html`<a class="button small" key=${name} href="#/${name}" aria-current=${name === present ? "page" : null}>${label}</a>`)}
    </nav>`;
}
