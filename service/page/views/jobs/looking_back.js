/** A look back over the kept epochs of a job: the network, its fit and its residuals at each. */
import { html, useState } from "../../lib/preact.js";
import { pathOf, send } from "../../lib/api.js";
import { counted, figure } from "../../lib/format.js";
import { useLoaded } from "../../lib/hooks.js";
import { remember } from "../../lib/router.js";
import { useScrubbed } from "../../lib/scrubbed.js";
import { keepEvery, MOST_KEPT } from "../../lib/suggestion.js";
import { ErrorNotice, Notice } from "../../components/notice.js";
import { Fit } from "./fit.js";
import { Network } from "./network.js";
import { bestKept } from "./states.js";

export function LookingBack({ job, log, model, reports, route }) {
  const version = useLoaded((signal) => send({ path: `${pathOf("models", job.model)}/versions/${job.version}` }, signal), [job.model, job.version]);
  const kept = version.value?.epochs ?? [];
  const asked = Number(route.query.get("epoch") ?? NaN);
  const epoch = kept.includes(asked) ? asked : null;
  const best = bestKept(job, log);
  const cache = useState(() => new Map())[0];
  const parameters = useScrubbed(async (signal) => {
    const key = `parameters ${epoch}`;
    if (!cache.has(key)) cache.set(key, await send(parametersOf(job, epoch), signal));
    return cache.get(key);
  }, [job.version, epoch]);
  return html`
    <section class="card" aria-labelledby="network">
      <h2 id="network">The network ${epoch === null && best === null ? "at its end" : `after ${counted(epoch ?? best, "epoch")}`}${epoch === null && best !== null ? ", its best" : ""}</h2>
      <${ErrorNotice} error=${version.error ?? parameters.error} />
      ${kept.length > 0
        ? html`<${Scrubber} kept=${kept} epoch=${epoch} best=${best} last=${job.final_loss} reports=${reports} />`
        : version.value && html`<${Notice} kind="info" title="No epochs were kept.">
          To look back over a training, start it with <code>"keep_every": ${keepEvery(job.recipe.epochs)}</code>, which keeps at most ${MOST_KEPT} epochs.
          “Your own data” sets it.</${Notice}>`}
      <${Network} layers=${model.layers} parameters=${parameters.value?.layers} signature=${model.signature} />
    </section>
    ${model.signature && html`<${Fit} job=${job} signature=${model.signature} epoch=${epoch} cache=${cache} route=${route} />`}`;
}

function parametersOf(job, epoch) {
  return { path: `${pathOf("models", job.model)}/parameters`, query: { version: job.version, epoch } };
}

function Scrubber({ kept, epoch, best, last, reports }) {
  const places = [...kept, null];
  const at = epoch === null ? kept.length : kept.indexOf(epoch);
  const loss = epoch === null ? last : reports.findLast((each) => each.epoch <= epoch)?.train_loss;
  const show = (place) => remember({ epoch: places[Math.min(places.length - 1, Math.max(0, place))] ?? "" });
  const text = epoch === null ? (best === null ? "the end" : "the version itself, the best") : `epoch ${epoch}`;
  return html`
    <div class="field scrubber">
      <label for="scrubber">Kept epochs: ${text}${typeof loss === "number" ? `, loss ${epoch === null ? "" : "about "}${figure(loss)}` : ""}</label>
      <div class="scrub">
        <button type="button" class="small" onClick=${() => show(0)}>Start</button>
        <input id="scrubber" type="range" min="0" max=${kept.length} step="1" value=${at} aria-valuetext=${text}
          onInput=${(event) => show(event.currentTarget.valueAsNumber)} />
        <button type="button" class="small" onClick=${() => show(kept.length)}>${best === null ? "End" : "Best"}</button>
      </div>
    </div>`;
}
