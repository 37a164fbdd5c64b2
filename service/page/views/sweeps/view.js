/** Searches for a recipe, which the API calls sweeps: all; or one with its trials, ranked. */
import { html, useState } from "../../lib/preact.js";
import { styled } from "../../lib/style.js";
import { pathOf, send } from "../../lib/api.js";
import { bytes, count, counted, duration, figure } from "../../lib/format.js";
import { useFollowed } from "../../lib/reports.js";
import { useNames } from "../../lib/names.js";
import { linkTo } from "../../lib/router.js";
import { useWatched } from "../../lib/watched.js";
import { Listing, when } from "../../components/listing.js";
import { MadeBy } from "../../components/made_by.js";
import { Advice, ErrorNotice, Notice } from "../../components/notice.js";
import { Table } from "../../components/table.js";
import { Kinds } from "../../components/kinds.js";
import { Together } from "../jobs/together.js";
import { Begin } from "./begin.js";
import { creating, hasEnded, told, written } from "./requests.js";

await Promise.all([styled("views.css"), styled("things.css")]);

const BEST = 4;
const LOSSES = { train_loss: "training loss", validation_loss: "validation loss" };

export default function SweepsView({ route }) {
  return route.path[1] ? html`<${One} key=${route.path[1]} name=${route.path[1]} />` : html`<${All} route=${route} />`;
}

function All({ route }) {
  const names = useNames();
  const columns = [
    { label: "Search", heads: true, value: ({ name }) => html`<a href=${linkTo(["sweeps", name])}>${name}</a>` },
    { label: "State", value: ({ state }) => state },
    { label: "Varies", value: ({ vary }) => Object.keys(vary).join(", ") },
    { label: "Data", value: ({ dataset }) => names.nameOf("datasets", dataset) },
    { label: "Trials", number: true, value: ({ done, trials }) => `${count(done)} of ${count(trials)}` },
    { label: "Best loss", number: true, value: ({ ranked }) => figure(ranked[0]?.loss ?? null, 4) },
    { label: "Made", value: (sweep) => when(sweep.created_at) },
  ];
  const deletion = (sweep) => (hasEnded(sweep) ? {
    request: { method: "DELETE", path: pathOf("sweeps", sweep.id) },
    consequences: `Its ${counted(sweep.trials, "trial")} go, with reports and logs.${sweep.best?.version ? ` Version ${sweep.best.version}, which the best became, stays.` : ""}`,
  } : null);
  return html`
    <h1 tabindex="-1">Searches</h1>
    <${Kinds} present="sweeps" />
    <p class="lead">A search, which the API calls a sweep, trains many variants of a recipe and ranks them.</p>
    <${ErrorNotice} error=${names.error} />
    <div class="stack">
    <${Begin} route=${route} names=${names} />
    <div class="card">
      <${Listing} path="/api/sweeps" noun="search" caption="Searches" byLabel=${false} route=${route} columns=${columns} deletion=${deletion} />
    </div>
    </div>`;
}

function One({ name }) {
  const request = { path: pathOf("sweeps", name) };
  const loaded = useWatched((signal) => send(request, signal), [name], (sweep) => !hasEnded(sweep));
  const [error, setError] = useState(null);
  const sweep = loaded.value;
  const ends = !sweep || hasEnded(sweep);
  if (!sweep) return html`<h1 tabindex="-1">A search</h1><${ErrorNotice} error=${loaded.error} />${!loaded.error && html`<p class="quiet" role="status">Looking for it …</p>`}`;
  const verb = (word, label, more = "") => html`
    <button type="button" class=${more} onClick=${() => send({ method: "POST", path: `${request.path}/${word}` }).then(() => { setError(null); loaded.again(); }, setError)}>${label}</button>`;
  return html`
    <h1 tabindex="-1">Search ${sweep.name}</h1>
    <${ErrorNotice} error=${error ?? loaded.error} />
    ${sweep.error && html`<${Notice} kind="error" title="The search failed.">${sweep.error.detail}</${Notice}>`}
    <div class="stack">
      <section class="card" aria-labelledby="state">
        <h2 id="state" aria-live="polite">${told(sweep)}</h2>
        <${Facts} sweep=${sweep} />
        <${Advice} advice=${sweep.advice} />
        <div class="actions">
          ${!ends && (sweep.state === "paused" ? verb("resume", "Go on", "main") : verb("pause", "Pause"))}
          ${!ends && verb("stop", "Stop and keep the best")}
          ${sweep.best?.version && html`<a class="button main" href=${linkTo(["models", sweep.best.model], { version: sweep.best.version, dataset: sweep.dataset })}>Judge and try version ${sweep.best.version}</a>`}
          <a class="button" href="#/sweeps">All searches</a>
        </div>
      </section>
      <${BestOf} sweep=${sweep} />
      <div class="card"><${Trials} sweep=${sweep} /></div>
    </div>
    <${MadeBy} requests=${[["Begin it", creating(sweep)], ["Read it", request]]} />`;
}

function Facts({ sweep }) {
  const facts = [
    ["Trials done", `${count(sweep.done)} of ${count(sweep.trials)}`],
    ["Method", sweep.method],
    ["Ranked by", LOSSES[sweep.monitor] ?? sweep.monitor],
    ["Best loss", figure(sweep.ranked[0]?.loss ?? null)],
    ["Planned time", duration(sweep.plan.seconds)],
    ["Stored at most", bytes(sweep.plan.bytes)],
  ];
  return html`<dl class="facts">${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** The losses of the few that are ahead. */
function BestOf({ sweep }) {
  const ids = sweep.ranked.filter(({ loss }) => loss !== null).slice(0, BEST).map(({ job }) => job);
  const { reports, error } = useFollowed([...ids].sort());
  if (!ids.length) return null;
  const nameOf = (id) => written(sweep.ranked.find(({ job }) => job === id)?.varied ?? {});
  return html`
    <section class="card" aria-labelledby="ahead">
      <h2 id="ahead">The best ${ids.length === 1 ? "so far" : ids.length}</h2>
      <${ErrorNotice} error=${error} />
      <${Together} ids=${ids} reports=${reports} field=${sweep.monitor} label=${LOSSES[sweep.monitor] ?? sweep.monitor} nameOf=${nameOf} />
    </section>`;
}

function Trials({ sweep }) {
  const places = Object.keys(sweep.vary);
  const rows = sweep.ranked.map((trial, index) => ({ ...trial, rank: index + 1 }));
  const columns = [
    { label: "Rank", heads: true, value: ({ rank, job }) => html`<a href=${linkTo(["jobs", job])}>Trial ${rank}</a>` },
    ...places.map((place) => ({ label: place, value: ({ varied }) => written({ [place]: varied[place] }, false) })),
    { label: "Loss", number: true, value: ({ loss }) => figure(loss) },
    { label: "Epochs", number: true, value: ({ epochs_done: done }) => count(done) },
    { label: "State", value: ({ state }) => state },
  ];
  return html`<${Table} caption="Trials, the best first" stacks rows=${rows} columns=${columns} keyOf=${({ job }) => job} />`;
}
