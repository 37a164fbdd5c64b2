/** A form that begins a search for a better recipe; its plan changes as one chooses. */
import { html, useState } from "../../lib/preact.js";
import { pathOf, send } from "../../lib/api.js";
import { bytes, count, duration } from "../../lib/format.js";
import { useLoaded } from "../../lib/hooks.js";
import { go, remember } from "../../lib/router.js";
import { useTyped } from "../../lib/typed.js";
import { CheckField, NumberField, SelectField, TextField } from "../../components/field.js";
import { MadeBy } from "../../components/made_by.js";
import { Advice, ErrorNotice } from "../../components/notice.js";
import { beginning, draftOf, METHODS, VARIED } from "./draft.js";

export function Begin({ route, names }) {
  const wanted = route.query.get("dataset") ?? "";
  const dataset = useLoaded(async (signal) => wanted && send({ path: pathOf("datasets", wanted) }, signal), [wanted]);
  const isThere = dataset.value && wanted && !dataset.error;
  return html`
    <section class="card" aria-labelledby="begin">
      <h2 id="begin">Search for a better recipe</h2>
      <${SelectField} label="Dataset" value=${dataset.value?.id ?? ""} options=${[["", "Choose a dataset"], ...Object.entries(names.datasets)]} onInput=${(id) => remember({ dataset: id, model: "" })} />
      <${ErrorNotice} error=${dataset.error} />
      ${isThere && html`<${Draft} key=${dataset.value.id} dataset=${dataset.value} route=${route} names=${names} />`}
    </section>`;
}

function Draft({ dataset, route, names }) {
  const draft = draftOf(route);
  const [name, setName] = useState(() => nameFor(dataset));
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const plan = { ...beginning(dataset, draft, name || null), query: { validate_only: true } };
  const planned = useLoaded((signal) => send(plan, signal), [JSON.stringify(plan)]);
  const [trials, shownTrials, typeTrials] = useTyped(draft.trials, (number) => remember({ trials: number }));
  const [epochs, shownEpochs, typeEpochs] = useTyped(draft.epochs, (number) => remember({ epochs: number }));
  const request = beginning(dataset, { ...draft, trials, epochs }, name || null);
  const isReady = trials >= 1 && epochs >= 1 && !planned.loading && !planned.error;
  const begin = async () => {
    setBusy(true);
    setError(null);
    try {
      const sweep = await send(request);
      go(["sweeps", sweep.name]);
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  const vary = (word, is) => remember({ vary: [...draft.vary.filter((each) => each !== word), ...(is ? [word] : [])].join(",") || "none" });
  const offered = Object.entries(VARIED).filter(([word]) => word !== "network" || !draft.model);
  return html`
    <div class="pair">
      <${SelectField} label="Network" value=${draft.model} options=${[["", "new ones"], ...Object.entries(names.models)]} onInput=${(model) => remember({ model })}
        hint=${draft.model ? "Each trial begins from it; the best becomes its next version." : "The best trial becomes a model of its own."} />
      <${SelectField} label="Method" value=${draft.method} options=${Object.entries(METHODS)} onInput=${(method) => remember({ method })} />
      <${NumberField} label="Trials" value=${shownTrials} min="1" step="1" onInput=${typeTrials} hint=${draft.method === "grid" ? "At most; a grid makes all combinations." : ""} />
      <${NumberField} label="Epochs of each" value=${shownEpochs} min="1" step="1" onInput=${typeEpochs} hint=${draft.method === "asha" ? "Only of those that get to the end." : ""} />
      <${TextField} label="Name" value=${name} onInput=${setName} />
    </div>
    <fieldset class="plain">
      <legend>What differs</legend>
      ${offered.map(([word, label]) => html`<${CheckField} key=${word} label=${label} value=${draft.vary.includes(word)} onInput=${(is) => vary(word, is)} />`)}
    </fieldset>
    <${ErrorNotice} error=${error ?? planned.error} />
    ${planned.value && !planned.error && html`<${Plan} plan=${planned.value.plan} />`}
    ${!planned.error && html`<${Advice} advice=${planned.value?.advice} />`}
    <div class="actions"><button type="button" class="main" disabled=${busy || !isReady} onClick=${begin}>Search</button>
      <span class="quiet" role="status">${busy ? "Starting …" : ""}</span></div>
    <${MadeBy} requests=${[["Ask for the plan", plan], ["Begin it", request]]} />`;
}

function Plan({ plan }) {
  const facts = [["Trials", count(plan.trials)], ["Epochs in all", `about ${count(plan.epochs)}`], ["Time of one worker", duration(plan.seconds)], ["Stored at most", bytes(plan.bytes)]];
  return html`<dl class="facts">${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** A name that no other search has: the dataset's with the time. */
function nameFor({ name }) {
  return `${name.slice(0, 70)}-${new Date().toISOString().slice(5, 19).replace(/\D/g, "")}`;
}
