/** A job: its curves while it trains, the verbs that steer it, and a look back over its kept epochs; or all jobs. */
import { html, useEffect, useMemo } from "../../lib/preact.js";
import { styled } from "../../lib/style.js";
import { ApiError, pathOf, send } from "../../lib/api.js";
import { count, duration, figure } from "../../lib/format.js";
import { useLoaded } from "../../lib/hooks.js";
import { useFollowed } from "../../lib/reports.js";
import { linkTo } from "../../lib/router.js";
import { streamOf } from "../../lib/stream.js";
import { MadeBy } from "../../components/made_by.js";
import { Advice, ErrorNotice, Notice } from "../../components/notice.js";
import { Controls } from "./controls.js";
import { Curves } from "./curves.js";
import { List } from "./list.js";
import { LookingBack } from "./looking_back.js";
import { Network } from "./network.js";
import { awaitsRefit, bestKept, hasEnded, logOf, told } from "./states.js";

await Promise.all([styled("views.css"), styled("things.css")]);

const WAIT = 400;
const WAIT_FOR_REFIT = 2000;

export default function JobsView({ route }) {
  return route.path[1] ? html`<${Watching} key=${route.path[1]} id=${route.path[1]} route=${route} />` : html`<${List} route=${route} />`;
}

function Watching({ id, route }) {
  const { jobs, reports, broken, error, know } = useFollowed([id]);
  const job = jobs[id];
  const log = useLoaded(async (signal) => (await send(logOf(id), signal)).items, [id, job?.state, JSON.stringify(job?.pending ?? null)]);
  // A model has its signature from its first version on.
  const model = useLoaded(async (signal) => job && send({ path: pathOf("models", job.model) }, signal), [job?.model, job?.version]);
  usePending(job, know);
  useRefit(awaitsRefit(job, log.value ?? []), log.again);
  // What is scrubbed through changes no curve: the same elements are not looked at again.
  const curves = useMemo(() => html`<${Curves} reports=${reports[id] ?? []} log=${log.value ?? []} />`, [reports[id], log.value]);
  if (!job) return html`<h1 tabindex="-1">A training</h1><${ErrorNotice} error=${error} />${!error && html`<p class="quiet" role="status">Looking for it …</p>`}`;
  const shown = reports[id] ?? [];
  const requests = [["Follow it", streamOf([id])], ["Read the job", { path: pathOf("jobs", id) }], ["Read its log", logOf(id)]];
  return html`
    <h1 tabindex="-1">Training ${model.value ? html`of <a href=${linkTo(["models", model.value.id])}>${model.value.name}</a>` : id}</h1>
    <${ErrorNotice} error=${error} />
    ${broken && html`<${Notice} kind="advice" title="The connection is interrupted.">The curve goes on as soon as Descent answers again.</${Notice}>`}
    ${job.error && html`<${Failure} job=${job} />`}
    <div class="stack">
      <section class="card" aria-labelledby="state">
        <h2 id="state" aria-live="polite">${told(job, log.value ?? [])}</h2>
        <${Facts} job=${job} log=${log.value ?? []} last=${shown.at(-1)} />
        <${Advice} advice=${job.advice} />
        ${!hasEnded(job) && html`<${Controls} job=${job} last=${shown.at(-1)} layers=${model.value?.layers ?? []} onAnswer=${know} />`}
        ${hasEnded(job) && html`<${Onward} job=${job} />`}
      </section>
      ${curves}
      <${ErrorNotice} error=${log.error} />
      ${model.error instanceof ApiError && model.error.status === 404
        ? html`<${Notice} kind="info">Its model was deleted, so there is no network to look at.</${Notice}>`
        : html`<${ErrorNotice} error=${model.error} />`}
      ${model.value && (job.version === null
        ? html`<section class="card" aria-labelledby="network"><h2 id="network">The network</h2><${Network} layers=${model.value.layers} /></section>`
        : html`<${LookingBack} job=${job} log=${log.value ?? []} model=${model.value} reports=${shown} route=${route} />`)}
    </div>
    <${MadeBy} requests=${requests} />`;
}

/** Where a job that has ended leads: to its version, to another training on the same data, or to what it belongs to. */
function Onward({ job }) {
  return html`
    <div class="actions">
      ${job.version !== null && html`<a class="button main" href=${linkTo(["models", job.model], { version: job.version, dataset: job.dataset })}>Judge and try version ${job.version}</a>`}
      <a class="button" href=${linkTo(["own-data"], { dataset: job.dataset })}>Train on these data again</a>
      <a class="button" href=${linkTo(["sweeps"], { dataset: job.dataset })}>Search for a better recipe</a>
      ${job.cross_validation && html`<a class="button" href=${linkTo(["cross-validations", job.cross_validation])}>All folds of its cross-validation</a>`}
      ${job.sweep && html`<a class="button" href=${linkTo(["sweeps", job.sweep])}>All trials of its search</a>`}
      <a class="button" href=${linkTo(["jobs"])}>All trainings</a>
    </div>`;
}

/** Ask for the job again and again while changes have still to take hold: they are no change of its state. */
function usePending(job, know) {
  const waits = job && !hasEnded(job) && (job.pending || job.asked);
  useEffect(() => {
    if (!waits) return undefined;
    const controller = new AbortController();
    const timer = setInterval(() => send({ path: pathOf("jobs", job.id) }, controller.signal).then(know, () => {}), WAIT);
    return () => { clearInterval(timer); controller.abort(); };
  }, [Boolean(waits)]);
}

/** Read the log again and again until it tells that all rows train anew: that is no change of the job's state either. */
function useRefit(waits, read) {
  useEffect(() => {
    if (!waits) return undefined;
    const timer = setInterval(read, WAIT_FOR_REFIT);
    return () => clearInterval(timer);
  }, [waits]);
}

const REMEDIES = {
  diverged: "Train again with a smaller rate, with standardised columns, or with a rule such as Adam. Its last finite parameters are kept.",
  out_of_memory: "Train again with a smaller batch_size or a smaller network, or raise DESCENT_WORKER_MEMORY.",
  worker_lost: "Its worker ended again and again without getting further: the log of the service says why.",
};

function Failure({ job }) {
  const remedy = REMEDIES[job.error.code];
  return html`
    <${Notice} kind="error" title="The training failed${job.error.epoch ? ` in epoch ${job.error.epoch}` : ""}.">
      ${job.error.detail} ${remedy && !job.error.detail.includes(remedy) ? html`<br />${remedy}` : ""}
    </${Notice}>`;
}

function secondsOf({ started_at: started, ended_at: ended }) {
  return started ? ((ended ? Date.parse(ended) : Date.now()) - Date.parse(started)) / 1000 : null;
}

function Facts({ job, log, last }) {
  const rate = job.plan.largest_stable_rate;
  const best = job.best && `${figure(job.best.loss)} in epoch ${count(job.best.epoch)}`;
  const isBest = bestKept(job, log) !== null;
  const facts = [
    ["Epochs", `${count(Math.max(last?.epoch ?? 0, job.epochs_done))} of ${count(job.recipe.epochs)}`],
    [isBest && job.final_loss !== null ? `Training loss at the kept epoch ${count(job.best.epoch)}` : "Training loss", figure(job.final_loss ?? last?.train_loss ?? null)],
    ["Validation loss", figure((isBest && job.best.of === "validation_loss" ? job.best.loss : last?.validation_loss) ?? null)],
    isBest ? ["Kept", `epoch ${count(job.best.epoch)}, the best`] : ["Best loss", best ?? "–"],
    ["Time", duration(secondsOf(job))],
    ["Largest stable rate", rate ? `${rate.exact ? "" : "about "}${figure(rate.value, 4)}` : "not known"],
  ];
  return html`<dl class="facts">${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}
