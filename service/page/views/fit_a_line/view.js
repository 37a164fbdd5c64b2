/** The first visit: the tutorial before one's eyes, against the real API. */
import { html, useEffect, useRef, useState } from "../../lib/preact.js";
import { send } from "../../lib/api.js";
import { counted, figure } from "../../lib/format.js";
import { motionIsUnwanted, useLoaded, useQuiet } from "../../lib/hooks.js";
import { remember } from "../../lib/router.js";
import { MadeBy } from "../../components/made_by.js";
import { ErrorNotice, Notice } from "../../components/notice.js";
import { Figures } from "./figures.js";
import { FitChart, LossChart } from "./charts.js";
import { Knobs, Rate } from "./knobs.js";
import * as tutorial from "./tutorial.js";

/** Epochs that are shown one after the other: all at first, where the line moves most, then fewer and fewer. */
const SHOWN = [1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 22, 29, 38, 50, 65, 85, 110, 143, 172, tutorial.MORE + 1];
const FRAME = 90;
const TRAINING = "Training …";

export default function FitALine({ route }) {
  const prepared = useLoaded(tutorial.prepare, []);
  const place = prepared.value;
  const [rate, setRate] = useState(() => rateOf(route));
  const [line, setLine] = useState({ weight: tutorial.STARTS[0], bias: 0 });
  const [version, setVersion] = useState(/** @type {number | null} */ (null));
  const [run, setRun] = useState(/** @type {tutorial.Run | null} */ (null));
  const [at, setAt] = useState(0);
  const [asked, setAsked] = useState(rate);
  const [busy, setBusy] = useState("");
  const [error, setError] = useState(null);
  const going = useRef(new AbortController());
  const points = place?.points ?? tutorial.POINTS;
  /** What was asked for before the model was there. */
  const early = useRef(/** @type {{line?: {weight: number, bias: number}, epochs?: number}} */ ({}));
  const askQuietly = useQuiet(setAsked, 200);
  const plan = useLoaded(async (signal) => (place && asked > 0 ? send(tutorial.planOf(place, asked), signal) : null), [place, asked]);
  useEffect(() => () => going.current.abort(), []);

  /** Begin something in place of what is going on; its error is shown, unless it was cancelled. */
  const begin = async (words, act) => {
    going.current.abort();
    const { signal } = (going.current = new AbortController());
    setBusy(words);
    setError(null);
    try {
      await act(signal);
    } catch (problem) {
      if (!signal.aborted) setError(problem);
    }
    if (!signal.aborted) setBusy("");
  };
  const show = async (of, epoch, signal) => {
    const found = await tutorial.lineAt(place, of, epoch, signal);
    if (signal.aborted) return;
    if (found) setLine(found);
    setAt(epoch);
  };
  const putLine = async (start, signal) => {
    const set = await send(tutorial.settingOf(place.model, start), signal);
    setVersion(set.version);
    return set.version;
  };
  const moveTo = (start) => {
    going.current.abort(); // its answer is not to move the line back
    early.current = {};
    setBusy("");
    setRun(null);
    setAt(0);
    setLine(start);
    setVersion(null);
  };
  const set = (start) => {
    moveTo(start);
    if (place) begin("", (signal) => putLine(start, signal));
    else early.current = { line: start };
  };
  const changeRate = (value) => {
    setRate(value);
    askQuietly(value);
    remember({ rate: value === tutorial.RATE ? null : value });
  };
  const train = (epochs) => {
    if (place) begin(TRAINING, (signal) => trained(epochs, signal));
    else {
      early.current = { epochs };
      setBusy(TRAINING);
    }
  };
  useEffect(() => {
    if (!place) return;
    if (early.current.epochs) train(early.current.epochs);
    else if (early.current.line) set(early.current.line);
  }, [place]);
  const trained = async (epochs, signal) => {
    const goesOn = run && run.parts.at(-1).job.version !== null;
    const start = goesOn ? { ...run.start, rate } : { ...line, rate };
    let made = goesOn ? run : null;
    let from = goesOn ? run.parts.at(-1).job.version : version ?? (await putLine(start, signal));
    // As the tutorial does it: one epoch to look at, then the others.
    for (const count of made || epochs === 1 ? [epochs] : [1, epochs - 1]) {
      made = await tutorial.train(place, made, start, from, count, signal);
      from = made.parts.at(-1).job.version;
      if (from === null) break;
    }
    setRun(made);
    const last = made.epochs.at(-1);
    await tutorial.lineAt(place, made, Math.min(1, last), signal);
    const before = run && goesOn ? run.epochs.at(-1) : 0;
    for (const epoch of motionIsUnwanted() ? [] : SHOWN.filter((each) => each > before && each < last)) {
      const due = performance.now() + FRAME;
      await show(made, epoch, signal);
      await new Promise((wake) => setTimeout(wake, Math.max(0, due - performance.now())));
      if (signal.aborted) return;
    }
    await show(made, last, signal);
  };

  if (prepared.error) return html`<h1 tabindex="-1">Fit a line</h1><${ErrorNotice} error=${prepared.error} />`;
  const canTrain = !busy && rate > 0;
  const failed = run?.parts.at(-1).job.error;
  const total = run ? run.epochs.at(-1) : 0;
  return html`
    <h1 tabindex="-1">Watch a network learn a line</h1>
    <p class="lead">Descent trains networks and serves their predictions. Here is the smallest one, a weight and a bias, learning y = 4x + 2
      from six points. Press “Train”, then <a href="#/own-data">use your own data</a>.</p>
    <div class="actions">
      <button type="button" class="main" disabled=${!canTrain} onClick=${() => train(run ? tutorial.MORE : tutorial.MORE + 1)}>
        ${run ? `Train ${tutorial.MORE} epochs more` : `Train ${tutorial.MORE + 1} epochs`}</button>
      <button type="button" disabled=${!canTrain} onClick=${() => train(1)}>One epoch</button>
      <button type="button" onClick=${() => set({ weight: tutorial.STARTS[0], bias: 0 })}>Start again</button>
      <span role="status" class="quiet">${busy || told(run, total)}</span>
    </div>
    <${ErrorNotice} error=${error} />
    ${failed && html`<${Notice} kind="error" title="The training failed.">${failed.detail}</${Notice}>`}
    <div class="columns">
      <div class="stack">
        <section class="card" aria-labelledby="fit"><h2 id="fit">The line</h2>
          <${FitChart} points=${points} line=${line} />
          ${run && html`<${Scrubber} total=${total} at=${at} run=${run} onInput=${(epoch) => begin("", (signal) => show(run, epoch, signal))} />`}
        </section>
        <section class="card" aria-labelledby="knobs"><h2 id="knobs">Set the line yourself</h2>
          <${Knobs} line=${line} points=${points} onInput=${moveTo} onSet=${set} />
        </section>
      </div>
      <div class="stack">
        <section class="card" aria-labelledby="loss"><h2 id="loss">The loss</h2>
          <${LossChart} run=${run} at=${at} onPick=${(epoch) => begin("", (signal) => show(run, epoch, signal))} />
          <${Rate} rate=${rate} onInput=${changeRate} plan=${plan.value} />
        </section>
        <section class="card" aria-labelledby="figures"><h2 id="figures">As in the tutorial</h2>
          <${Figures} run=${run} />
        </section>
      </div>
    </div>
    ${place && html`<${MadeBy} requests=${requestsOf(place, run, line, rate)} />`}`;
}

function Scrubber({ total, at, run, onInput }) {
  const loss = run.losses[run.epochs.indexOf(at)];
  return html`
    <div class="field">
      <label for="epoch">Epoch ${at} of ${total}: loss ${figure(loss)}</label>
      <input id="epoch" type="range" min="0" max=${total} step="1" value=${at} onInput=${(event) => onInput(event.currentTarget.valueAsNumber)} />
    </div>`;
}

function rateOf({ query }) {
  const rate = Number(query.get("rate") ?? tutorial.RATE);
  return rate > 0 && Number.isFinite(rate) ? rate : tutorial.RATE;
}

function told(run, total) {
  return run ? `${counted(total, "epoch")}: the loss went from ${figure(run.losses[0])} to ${figure(run.losses.at(-1))}.` : "";
}

function requestsOf(place, run, line, rate) {
  const job = run?.parts.at(-1).job;
  const made = [
    ["Make the points", tutorial.DATASET],
    ["Make the model", tutorial.MODEL],
    ["Set weight and bias", tutorial.settingOf(place.model, run?.start ?? line)],
    ["Ask for the plan and the largest stable rate", tutorial.planOf(place, rate)],
    ["Train", tutorial.trainingOf(place, job?.recipe.from_version ?? null, job?.recipe.epochs ?? tutorial.MORE, rate)],
  ];
  if (!job) return made;
  const trained = [...made, ["Read the loss of every epoch", tutorial.epochsOf(job.id)]];
  if (job.version === null) return trained;
  return [...trained, ["Read the line of an epoch", tutorial.parametersOf(place.model, job.version, job.epochs_done)],
    ["Predict the test points", tutorial.predictionOf(place.model, job.version)]];
}
