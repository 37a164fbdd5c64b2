/** Several trainings on one chart, live. */
import { html } from "../lib/preact.js";
import { styled } from "../lib/style.js";
import { figure } from "../lib/format.js";
import { useNames } from "../lib/names.js";
import { linkTo, remember } from "../lib/router.js";
import { streamOf } from "../lib/stream.js";
import { useFollowed } from "../lib/reports.js";
import { SelectField } from "../components/field.js";
import { MadeBy } from "../components/made_by.js";
import { ErrorNotice } from "../components/notice.js";
import { Table } from "../components/table.js";
import { Together } from "./jobs/together.js";

await Promise.all([styled("views.css"), styled("things.css")]);

const MOST = 6;
const SHOWN = { train_loss: "training loss", validation_loss: "validation loss", rate: "rate", gradient_norm: "gradient norm" };

export default function Compare({ route }) {
  const ids = (route.query.get("jobs") ?? "").split(",").filter(Boolean).slice(0, MOST);
  const shown = Object.hasOwn(SHOWN, route.query.get("show") ?? "") ? route.query.get("show") : "train_loss";
  const names = useNames();
  const { jobs, reports, error } = useFollowed(ids);
  const nameOf = (id) => `${names.models[jobs[id]?.model] ?? "training"} ${id.slice(-4)}`;
  if (!ids.length) return html`<h1 tabindex="-1">Compare trainings</h1><p>Choose some in <a href="#/jobs">the list of trainings</a>.</p>`;
  return html`
    <h1 tabindex="-1">Compare trainings</h1>
    <${ErrorNotice} error=${error ?? names.error} />
    <div class="stack">
    <section class="card" aria-label="Curves">
      <${SelectField} label="Show" value=${shown} options=${Object.entries(SHOWN)} onInput=${(show) => remember({ show })} />
      <${Together} ids=${ids} reports=${reports} field=${shown} label=${SHOWN[shown]} nameOf=${nameOf} />
    </section>
    <div class="card"><${Differences} jobs=${ids.map((id) => jobs[id]).filter(Boolean)} reports=${reports} nameOf=${nameOf} /></div>
    </div>
    <${MadeBy} requests=${[["Follow them", streamOf(ids)]]} />`;
}

/** The losses, and the fields of the recipes that are not alike. */
function Differences({ jobs, reports, nameOf }) {
  const words = [...new Set(jobs.flatMap((job) => Object.keys(job.recipe)))];
  const differing = words.filter((word) => new Set(jobs.map((job) => JSON.stringify(job.recipe[word]))).size > 1);
  const judged = (job) => reports[job.id]?.at(-1)?.validation_loss ?? null;
  const columns = [
    { label: "Training", heads: true, value: (job) => html`<a href=${linkTo(["jobs", job.id])}>${nameOf(job.id)}</a>` },
    { label: "State", value: (job) => job.state },
    { label: "Loss", number: true, value: (job) => figure(job.final_loss ?? reports[job.id]?.at(-1)?.train_loss ?? null) },
    ...(jobs.some((job) => judged(job) !== null) ? [{ label: "Validation loss", number: true, value: (job) => figure(judged(job)) }] : []),
    ...differing.map((word) => ({ label: word, value: (job) => plain(job.recipe[word]) })),
  ];
  return html`<${Table} caption="What differs" rows=${jobs} columns=${columns} keyOf=${(job) => job.id} />`;
}

function plain(value) {
  return value !== null && typeof value === "object" ? Object.values(value).join(", ") : String(value ?? "–");
}
