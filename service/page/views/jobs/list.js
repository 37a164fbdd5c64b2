/** All jobs: those of a state, a model or a dataset, and several of them to compare. */
import { html, useState } from "../../lib/preact.js";
import { pathOf } from "../../lib/api.js";
import { count, figure } from "../../lib/format.js";
import { useNames } from "../../lib/names.js";
import { useFollowed } from "../../lib/reports.js";
import { linkTo, remember } from "../../lib/router.js";
import { streamOf } from "../../lib/stream.js";
import { SelectField } from "../../components/field.js";
import { Kinds } from "../../components/kinds.js";
import { Listing, when } from "../../components/listing.js";
import { ErrorNotice } from "../../components/notice.js";
import { hasEnded } from "./states.js";

const STATES = ["queued", "running", "paused", "succeeded", "failed", "cancelled"];
const MOST_COMPARED = 6;
/** Jobs that one stream follows. */
const MOST_FOLLOWED = 100;
/** Their reports at once: the last one is shown. */
const FEW = 10;
const PAUSE = 500;

export function List({ route }) {
  const names = useNames();
  const chosen = (route.query.get("chosen") ?? "").split(",").filter(Boolean);
  const [rows, setRows] = useState(/** @type {any[]} */ ([]));
  const running = rows.filter((job) => !hasEnded(job)).slice(0, MOST_FOLLOWED).map(({ id }) => id);
  const { jobs, last, error } = useLast(running);
  const live = (show) => (job) => show(jobs[job.id] ?? job, last[job.id]);
  const query = Object.fromEntries(["state", "model", "dataset"].map((word) => [word, route.query.get(word) ?? ""]));
  const choose = (id) => remember({ chosen: (chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id].slice(-MOST_COMPARED)).join(",") });
  const columns = [
    { label: "Compare", value: ({ id }) => html`<input type="checkbox" aria-label="Compare ${id}" checked=${chosen.includes(id)} onChange=${() => choose(id)} />` },
    { label: "Training", heads: true, value: ({ id, model }) => html`<a href=${linkTo(["jobs", id])}>${names.nameOf("models", model)}</a><br /><span class="quiet small">…${id.slice(-6)}</span>` },
    { label: "State", value: live((job) => html`${job.state}${job.error ? html`<span class="fault">${job.error.detail}</span>` : ""}`) },
    { label: "Data", value: ({ dataset }) => names.nameOf("datasets", dataset) },
    { label: "Epochs", number: true, value: live((job, report) => `${count(Math.max(job.epochs_done, report?.epoch ?? 0))} of ${count(job.recipe.epochs)}`) },
    { label: "Loss", number: true, value: live((job, report) => figure(job.final_loss ?? report?.train_loss ?? job.best?.loss ?? null, 4)) },
    { label: "Made", value: (job) => when(job.created_at) },
  ];
  const deletion = (row) => deletionOf(jobs[row.id] ?? row);
  const deletionOf = (job) => (hasEnded(job) ? {
    request: { method: "DELETE", path: pathOf("jobs", job.id) },
    consequences: `Its reports and its log go. ${job.version === null ? "It added no version." : `Version ${job.version} of the model stays.`}`,
  } : null);
  return html`
    <h1 tabindex="-1">Trainings</h1>
    <${Kinds} present="jobs" />
    <div class="actions">
      <a class="button ${chosen.length > 1 ? "main" : ""}" href=${chosen.length > 1 ? linkTo(["compare"], { jobs: chosen.join(",") }) : null} aria-disabled=${chosen.length < 2}>Compare ${chosen.length || ""}</a>
      <span class="quiet" role="status">${chosen.length < 2 ? `Choose two to ${MOST_COMPARED} of them.` : ""}</span>
    </div>
    <${ErrorNotice} error=${error ?? names.error} />
    <div class="card">
      <${Listing} path="/api/jobs" noun="training" caption="Trainings" route=${route} columns=${columns} query=${query} onRows=${setRows} requests=${running.length ? [["Follow those that run", streamOf(running, FEW)]] : []} deletion=${deletion} filters=${html`
        <${SelectField} label="State" value=${query.state} options=${[["", "any"], ...STATES.map((state) => [state, state])]} onInput=${(state) => remember({ state })} />
        <${SelectField} label="Model" value=${query.model} options=${[["", "any"], ...Object.entries(names.models)]} onInput=${(model) => remember({ model })} />`} />
    </div>`;
}

/** The states and the last reports of jobs, as they come. @param {string[]} ids */
function useLast(ids) {
  const { jobs, reports, error } = useFollowed(ids, FEW, PAUSE);
  return { jobs, error, last: Object.fromEntries(Object.entries(reports).map(([id, all]) => [id, all.at(-1)])) };
}
