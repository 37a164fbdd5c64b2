/** Loss, rate and gradient norm by epoch, with what happened on the way. */
import { html, useMemo } from "../../lib/preact.js";
import { figure } from "../../lib/format.js";
import { Chart } from "../../components/chart.js";
import { Table } from "../../components/table.js";

const LOSSES = [{ label: "training loss", colour: 1 }, { label: "validation loss", colour: 2 }];
const RATE = [{ label: "rate", colour: 4 }];
const NORM = [{ label: "gradient norm", colour: 3 }];
const MARKED = {
  rate_changed: "rate", frozen_changed: "frozen", paused: "rested", backed_off: "went back", stopped: "stopped", worker_lost: "worker lost",
  refit_begun: "all rows", refit_dropped: "best stays",
};

export function Curves({ reports, log }) {
  const column = (name) => reports.map((each) => each[name]);
  const [epochs, losses, judged, rates, norms] = useMemo(
    () => [column("epoch"), column("train_loss"), column("validation_loss"), column("rate"), column("gradient_norm")], [reports]);
  const has = (values) => values.some((value) => value !== null);
  const isJudged = has(judged);
  const data = useMemo(() => (isJudged ? [epochs, losses, judged] : [epochs, losses]), [reports]);
  const marks = useMemo(() => log.filter(({ event }) => Object.hasOwn(MARKED, event)).map(markOf), [log]);
  const small = [["Rate", rates, RATE, false], ["Gradient norm", norms, NORM, true]].filter(([, values]) => has(values));
  return html`
    <section class="card" aria-labelledby="loss">
      <h2 id="loss">The loss</h2>
      <${Chart} name="Loss by epoch, on a log axis" data=${data} series=${isJudged ? LOSSES : LOSSES.slice(0, 1)}
        xLabel="epoch" yLabel="loss (log)" log height=${320} marks=${marks} />
      ${marks.length > 0 && html`<${Happenings} log=${log} />`}
    </section>
    ${small.length > 0 && html`
      <div class="columns">
        ${small.map(([name, values, series, log_]) => html`<${Small} key=${name} name=${name} epochs=${epochs} values=${values} series=${series} log=${log_} marks=${marks} />`)}
      </div>`}`;
}

function Small({ name, epochs, values, series, log, marks }) {
  const data = useMemo(() => [epochs, values], [epochs, values]);
  return html`
    <section class="card" aria-label=${name}>
      <h2>${name}</h2>
      <${Chart} name="${name} by epoch" data=${data} series=${series} xLabel="epoch" yLabel=${series[0].label} log=${log} height=${200} marks=${marks} />
    </section>`;
}

function markOf({ event, epoch, detail }) {
  const value = event === "rate_changed" ? /(\d[\d.e+-]*\d|\d)\D*$/.exec(detail)?.[1] : null;
  return { x: epoch ?? 0, label: value && Number.isFinite(Number(value)) ? `rate ${figure(Number(value), 3)}` : MARKED[event] };
}

function Happenings({ log }) {
  const columns = [
    { label: "Epoch", number: true, value: ({ epoch }) => epoch ?? "–" },
    { label: "What happened", value: ({ detail }) => detail },
    { label: "When", value: ({ at }) => new Date(at).toLocaleTimeString() },
  ];
  return html`<details class="more"><summary>What happened on the way</summary><${Table} caption="The job's log" hidesCaption rows=${log} columns=${columns} /></details>`;
}
