/** Own data: from a file to a training, in three steps that stay open. */
import { html, useEffect, useRef, useState } from "../../lib/preact.js";
import { styled } from "../../lib/style.js";
import { pathOf, send } from "../../lib/api.js";
import { useLoaded } from "../../lib/hooks.js";
import { remember } from "../../lib/router.js";
import { MadeBy } from "../../components/made_by.js";
import { ErrorNotice, Notice } from "../../components/notice.js";
import { TextField } from "../../components/field.js";
import { Drop } from "./drop.js";
import { NOTHING_CHOSEN } from "./options.js";
import { discard, lookAt, store, storing } from "./requests.js";
import { Problems } from "./problems.js";
import { sourceOf } from "./source.js";
import { TableStep } from "./table.js";
import { TrainingStep } from "./training.js";

await styled("views.css");

export default function OwnData({ route }) {
  const [source, setSource] = useState(/** @type {import("./source.js").Source | null} */ (null));
  const [options, setOptions] = useState(NOTHING_CHOSEN);
  const [names, setNames] = useState([]);
  const wanted = route.query.get("dataset");
  const dataset = useLoaded(async (signal) => wanted && send({ path: pathOf("datasets", wanted) }, signal), [wanted]);
  const preview = useLoaded(async (signal) => source?.look && send(lookAt(source, options), signal), [source, options]);
  const seen = preview.value;
  useEffect(() => {
    if (seen) setNames((before) => allNames(before, seen));
  }, [seen]);

  const take = async (file) => {
    remember({ dataset: null });
    setNames([]);
    setOptions(NOTHING_CHOSEN);
    setSource(await sourceOf(file));
  };
  const change = (next) => {
    // Without its header a file has other columns.
    if (["header", "delimiter", "skip"].some((word) => next.reading[word] !== options.reading[word])) setNames([]);
    setOptions(next);
  };
  const stored = wanted && dataset.value?.id && dataset.value.state === "ready" ? dataset.value : null;
  return html`
    <h1 tabindex="-1">Use your own data</h1>
    <p class="lead">From a table to a trained network: choose a file, say what is to be predicted, press “Train”.</p>
    <div class="stack">
      ${!stored && html`<${Drop} source=${source} onFile=${take} />`}
      <${ErrorNotice} error=${preview.error ?? dataset.error} />
      ${source && !source.look && !stored && html`<${Unseen} options=${options} onChange=${setOptions} />`}
      ${!stored && seen && source && html`<${TableStep} source=${source} preview=${seen} names=${names} options=${options} onChange=${change} />`}
      ${!stored && source && html`<${Store} source=${source} options=${options} seen=${seen} loading=${preview.loading}
        names=${names} onChange=${change} />`}
      ${stored && html`<p><button type="button" onClick=${() => remember({ dataset: null })}>${source ? "Change the columns" : "Choose another file"}</button></p>`}
      ${stored && html`<${TrainingStep} key=${stored.id} dataset=${stored} comesNext=${source !== null}
        requests=${source ? [["Store the file", storing(source, options, stored.name)]] : [["Read the dataset", { path: pathOf("datasets", stored.id) }]]} />`}
    </div>
    ${!stored && source?.look && html`<${MadeBy} requests=${[["Look at the beginning of the file", lookAt(source, options)]]} />`}`;
}

/** Columns that are left out are no more in the answer: they stay where they were. */
function allNames(before, { features, targets, first }) {
  const fresh = [...(first.length ? Object.keys(first[0]) : []), ...features.map(({ name }) => name), ...targets.map(({ name }) => name)];
  return [...new Set([...before, ...fresh])];
}

/** A file that is too large to be looked at in memory: the names of its targets have to be known. */
function Unseen({ options, onChange }) {
  return html`
    <${Notice} kind="info">This file has to be stored before it can be looked at: its columns stand at its end.</${Notice}>
    <${TextField} label="Columns to be predicted" hint="Their names, separated by commas." value=${options.targets.join(", ")}
      onInput=${(text) => onChange({ ...options, targets: text.split(",").map((name) => name.trim()).filter(Boolean) })} />`;
}

/** The button that stores the file; a dataset that was stored before with other choices, and is not used, goes. */
function Store({ source, options, seen, loading, names, onChange }) {
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const former = useRef(null);
  useEffect(() => setError(null), [options, source]);
  const faults = seen?.faults.length ?? 0;
  const isReady = options.targets.length > 0 && faults === 0 && !loading;
  const storeIt = async () => {
    setBusy(true);
    setError(null);
    try {
      if (former.current) await discard("datasets", former.current);
      former.current = null;
      const made = await store(source, options);
      former.current = made.id;
      remember({ dataset: made.id });
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  return html`
    <div>
      ${error?.errors?.length > 0
        ? html`<${Problems} faults=${error.errors} advice=${[]} names=${names} options=${options} onChange=${onChange} />`
        : html`<${ErrorNotice} error=${error} />`}
      <div class="actions at-hand">
        <button type="button" class="main" disabled=${!isReady || busy} onClick=${storeIt}>Use these data</button>
        <span class="quiet" role="status">${busy ? "Sending …" : hint(options, faults, loading)}</span>
      </div>
    </div>`;
}

function hint(options, faults, loading) {
  if (loading) return "Looking …";
  if (!options.targets.length) return "Choose what is to be predicted.";
  return faults ? "Mend what is listed above first." : "";
}
