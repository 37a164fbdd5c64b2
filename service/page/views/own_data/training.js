/** The third step: the network, how it trains, and its plan, which changes as one types. */
import { html, useEffect, useRef, useState } from "../../lib/preact.js";
import { send } from "../../lib/api.js";
import { bytes, count, counted, duration, figure } from "../../lib/format.js";
import { useLoaded, useQuiet } from "../../lib/hooks.js";
import { go, linkTo } from "../../lib/router.js";
import { MadeBy } from "../../components/made_by.js";
import { Advice, ErrorNotice } from "../../components/notice.js";
import { CheckField, NumberField, SelectField, TextField } from "../../components/field.js";
import { creating, discard, freeName, planning, starting } from "./requests.js";
import { ACTIVATIONS, architectureOf, keepEvery, LOSSES, rateFor, RULES, suggestionFor } from "../../lib/suggestion.js";

const QUIET = 400;

/** @param {{dataset: any, comesNext: boolean, requests: [string, any][]}} properties `comesNext`: a reader comes from the step before, whose place this takes */
export function TrainingStep({ dataset, comesNext, requests }) {
  const top = useRef(null);
  useEffect(() => {
    if (!comesNext) return;
    top.current.focus({ preventScroll: true });
    top.current.closest("section").scrollIntoView();
  }, []);
  const [training, setTraining] = useState(() => suggestionFor(dataset));
  const [asked, setAsked] = useState(training);
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const askQuietly = useQuiet(setAsked, QUIET);
  const draft = useDraft(dataset);
  const planned = useLoaded(async (signal) => {
    if (!isWhole(asked)) return null;
    const model = await draft.modelOf(architectureOf(dataset, asked), asked.seed);
    return { model, plan: await send(planning(dataset, model.id, asked), signal), training: asked };
  }, [asked]);
  const change = (changes) => {
    const next = { ...training, ...changes };
    setTraining(next);
    askQuietly(next);
  };
  const start = async () => {
    setBusy(true);
    setError(null);
    try {
      const job = await send(starting(dataset, planned.value.model.id, withEpochs(planned.value)));
      draft.keep();
      go(["jobs", job.id]);
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  const isCurrent = planned.value?.training === training && !planned.error;
  return html`
    <section class="card" aria-labelledby="network">
      <h2 id="network" ref=${top} tabindex="-1">The network</h2>
      <${Dataset} dataset=${dataset} />
      <${Fields} dataset=${dataset} training=${training} onChange=${change} />
    </section>
    <section class="card" aria-labelledby="plan" aria-busy=${!isCurrent}>
      <h2 id="plan">The plan</h2>
      <${ErrorNotice} error=${error ?? planned.error} />
      ${planned.value && html`<${Plan} plan=${planned.value.plan} training=${planned.value.training} />`}
      <div class="actions">
        <button type="button" class="main" disabled=${busy || !isCurrent} onClick=${start}>Train</button>
        <a class="button" href=${linkTo(["sweeps"], { dataset: dataset.id })}>Search for a better recipe</a>
        <span class="quiet" role="status">${busy ? "Starting …" : ""}</span>
      </div>
    </section>
    ${planned.value && html`<${MadeBy} requests=${[...requests, ...requestsOf(dataset, planned.value)]} />`}`;
}

function requestsOf(dataset, { model, plan, training }) {
  return [
    ["Make the model", creating(model.architecture, model.name, training.seed)],
    ["Ask for the plan", planning(dataset, model.id, training)],
    ["Train", starting(dataset, model.id, withEpochs({ plan, training }))],
  ];
}

const isWhole = ({ isAuto, rate, epochs }) => isAuto || (rate > 0 && epochs >= 1);

/** The training with the epochs that its plan has chosen. */
const withEpochs = ({ plan, training }) => ({ ...training, chosen: plan.recipe?.epochs });

/**
 * The model that plans are made for, which they need: another one takes its place when the network changes, and it is
 * taken away again where no job trains it.
 */
function useDraft(dataset) {
  const held = useRef(/** @type {{key: string, made: Promise<any>} | null} */ (null));
  const dropped = async (draft) => {
    const model = await draft?.made.catch(() => null); // one that was refused is not there
    if (model) await discard("models", model.id);
  };
  useEffect(() => () => { dropped(held.current); }, []);
  const made = async (before, architecture, seed) => {
    await dropped(before);
    return send(creating(architecture, await freeName("models", `${dataset.name}-network`), seed));
  };
  return {
    modelOf(architecture, seed) {
      if (!architecture) throw new Error("Hidden layers are whole numbers above 0, such as 16, 16.");
      const key = `${seed} ${architecture}`;
      if (held.current?.key !== key) {
        const draft = (held.current = { key, made: made(held.current, architecture, seed) });
        draft.made.catch(() => { if (held.current === draft) held.current = null; }); // the next plan asks for it again
      }
      return held.current.made;
    },
    keep() { held.current = null; },
  };
}

function Dataset({ dataset }) {
  const { parts } = dataset;
  const names = dataset.targets.map((target) => target.name).join(", ");
  return html`
    <p>It learns <strong>${names}</strong> from ${counted(dataset.features.length, "column")}: ${counted(parts.train, "row")} train it,
      ${" "}${count(parts.validation)} judge it meanwhile, ${count(parts.test)} afterwards${parts.calibration ? `, ${count(parts.calibration)} tell how sure it is` : ""}. It takes ${counted(dataset.inputs, "number")} and
      ${" "}returns ${count(dataset.outputs)}.</p>`;
}

function Fields({ dataset, training, onChange }) {
  return html`
    <p><code>${architectureOf(dataset, training) ?? "–"}</code></p>
    <div class="pair">
      <${TextField} label="Hidden layers" value=${training.hidden} hint="Units of each: 16, 16. Empty: none."
        onInput=${(hidden) => onChange({ hidden })} />
      <${SelectField} label="Activation" value=${training.activation} options=${ACTIVATIONS.map((name) => [name, name])}
        onInput=${(activation) => onChange({ activation })} />
      <${NumberField} label="Seed" value=${training.seed} min="0" step="1" onInput=${(seed) => onChange({ seed: seed ?? 0 })} />
    </div>
    <${CheckField} label="Let Descent choose the recipe" value=${training.isAuto} onInput=${(isAuto) => onChange({ isAuto })}
      hint="Loss, optimiser, rate, batches, and when to stop." />
    ${!training.isAuto && html`<${Recipe} training=${training} onChange=${onChange} />`}`;
}

function Recipe({ training, onChange }) {
  return html`
    <div class="pair">
      <${SelectField} label="Loss" value=${training.loss} options=${Object.keys(LOSSES).map((name) => [name, name])} hint=${LOSSES[training.loss]} onInput=${(loss) => onChange({ loss })} />
      <${SelectField} label="Optimiser" value=${training.rule} options=${RULES.map((name) => [name, name])}
        onInput=${(rule) => onChange({ rule, rate: rateFor(rule) })} />
      <${NumberField} label="Learning rate" value=${training.rate ?? ""} min="0" onInput=${(rate) => onChange({ rate })}
        fault=${training.rate > 0 ? null : "A number above 0."} />
      <${NumberField} label="Epochs" value=${training.epochs ?? ""} min="1" step="1" onInput=${(epochs) => onChange({ epochs })}
        fault=${training.epochs >= 1 ? null : "A whole number from 1."} />
      <${NumberField} label="Rows of a batch" value=${training.batch ?? ""} min="1" step="1" hint="Empty: all rows at once."
        onInput=${(batch) => onChange({ batch })} />
    </div>`;
}

function Plan({ plan: { plan, advice, recipe }, training }) {
  const epochs = training.isAuto ? recipe.epochs : training.epochs;
  const every = keepEvery(epochs);
  const kept = Math.floor(epochs / every);
  const facts = [
    ["Parameters", count(plan.parameter_count)],
    ["Time", duration(plan.seconds)],
    ["Stored", plan.bytes === null ? "–" : bytes(plan.bytes)],
    ["Largest stable rate", plan.largest_stable_rate
      ? `${plan.largest_stable_rate.exact ? "" : "about "}${figure(plan.largest_stable_rate.value, 4)}` : "not known"],
  ];
  return html`
    <dl class="facts">${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    <p class="quiet">${training.isAuto ? "At most " : ""}${counted(kept, "epoch")} ${kept === 1 ? "is" : "are"} kept to look back at, one in ${every}: ${bytes(kept * plan.parameter_count * 4)}.</p>
    <${Advice} advice=${advice} />`;
}

