/** A job: its state, its loss of every epoch while it trains, and its end. */
import { html, useEffect, useMemo, useState } from "../../lib/preact.js";
import { pathOf, send } from "../../lib/api.js";
import { count, duration, figure } from "../../lib/format.js";
import { useLoaded } from "../../lib/hooks.js";
import { Chart } from "../../components/chart.js";
import { MadeBy } from "../../components/made_by.js";
import { Advice, ErrorNotice, Notice } from "../../components/notice.js";

const MOST_POINTS = 500;
const ENDED = ["succeeded", "failed", "cancelled"];
const LOSSES = [{ label: "training loss", colour: 1 }, { label: "validation loss", colour: 2 }];

export default function JobView({ route }) {
  const id = route.path[1] ?? "";
  const known = useLoaded((signal) => send({ path: pathOf("jobs", id) }, signal), [id]);
  const { job, reports, error } = useFollowed(known.value);
  const data = useMemo(() => [reports.map(({ epoch }) => epoch), reports.map((each) => each.train_loss), reports.map((each) => each.validation_loss)], [reports]);
  if (!job) return html`<h1 tabindex="-1">A training</h1><${ErrorNotice} error=${known.error} />`;
  const judged = reports.some((each) => each.validation_loss !== null);
  const requests = [["Read the job", { path: pathOf("jobs", id) }], ["Read its losses", epochsOf(id)], ["Follow it", { path: `${pathOf("jobs", id)}/events` }]];
  return html`
    <h1 tabindex="-1">Training ${job.id}</h1>
    <${ErrorNotice} error=${error} />
    ${job.error && html`<${Notice} kind="error" title="The training failed.">${job.error.detail}</${Notice}>`}
    <div class="stack">
      <section class="card" aria-labelledby="state"><h2 id="state">${ENDED.includes(job.state) ? `It has ${job.state}` : `It is ${job.state}`}</h2>
        <${Facts} job=${job} last=${reports.at(-1)} />
        <${Advice} advice=${job.advice} />
      </section>
      <section class="card" aria-labelledby="loss"><h2 id="loss">The loss</h2>
        <${Chart} name="Loss by epoch, on a log axis" data=${judged ? data : data.slice(0, 2)} series=${judged ? LOSSES : LOSSES.slice(0, 1)}
          xLabel="epoch" yLabel="loss (log)" log height=${320} />
      </section>
    </div>
    <${MadeBy} requests=${requests} />`;
}

function epochsOf(id) {
  return { path: `${pathOf("jobs", id)}/epochs`, query: { points: MOST_POINTS } };
}

/** Follow a job by its events while it trains; at its end its losses are read once, thinned with their peaks. */
function useFollowed(first) {
  const [job, setJob] = useState(first);
  const [reports, setReports] = useState([]);
  const [error, setError] = useState(null);
  useEffect(() => {
    setJob(first);
    setReports([]);
    if (!first) return undefined;
    const readAll = () => send(epochsOf(first.id)).then((page) => setReports(page.items), setError);
    if (ENDED.includes(first.state)) {
      readAll();
      return undefined;
    }
    const stream = new EventSource(`${pathOf("jobs", first.id)}/events`);
    stream.addEventListener("epochs", (event) => {
      const { items } = JSON.parse(event.data);
      setReports((before) => thinned([...before, ...items]));
    });
    stream.addEventListener("state", (event) => {
      const next = JSON.parse(event.data);
      setJob(next);
      if (!ENDED.includes(next.state)) return;
      stream.close();
      readAll();
    });
    return () => stream.close();
  }, [first]);
  return { job, reports, error };
}

/** Every second report, once there are too many to draw. */
function thinned(reports) {
  return reports.length <= 2 * MOST_POINTS ? reports : reports.filter((_, index) => index % 2 === 0 || index === reports.length - 1);
}

function Facts({ job, last }) {
  const facts = [
    ["Epochs", `${count(last?.epoch ?? job.epochs_done)} of ${count(job.recipe.epochs)}`],
    ["Training loss", figure(job.final_loss ?? last?.train_loss ?? null)],
    ["Validation loss", figure(last?.validation_loss ?? null)],
    ["Time by plan", duration(job.plan?.seconds ?? null)],
  ];
  return html`<dl class="facts">${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}
