/** A form that begins a cross-validation: a model, a dataset, folds and a recipe. */
import { html, useState } from "../../lib/preact.js";
import { pathOf, send } from "../../lib/api.js";
import { useLoaded } from "../../lib/hooks.js";
import { go, remember } from "../../lib/router.js";
import { useTyped } from "../../lib/typed.js";
import { NumberField, SelectField } from "../../components/field.js";
import { MadeBy } from "../../components/made_by.js";
import { ErrorNotice } from "../../components/notice.js";
import { beginning, recipeOf } from "./requests.js";

const AUTO = { recipe: "auto" };

export function Begin({ route, names }) {
  const idOf = (kind, word) => {
    const wanted = route.query.get(word) ?? "";
    return Object.hasOwn(names[kind], wanted) ? wanted : Object.entries(names[kind]).find(([, name]) => name === wanted)?.[0] ?? "";
  };
  const [model, dataset] = [idOf("models", "model"), idOf("datasets", "dataset")];
  const [folds, shownFolds, typeFolds] = useTyped(Number(route.query.get("folds") ?? 5), (number) => remember({ folds: number }));
  const trainings = useLoaded(async (signal) => (model ? (await send({ path: `${pathOf("models", model)}/metrics` }, signal)).trainings : []), [model]);
  const last = trainings.value?.find((each) => each.dataset === dataset) ?? trainings.value?.[0];
  const isAuto = route.query.get("recipe") === "auto" || !last;
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const request = beginning(model, dataset, folds, isAuto ? AUTO : recipeOf(last));
  const areFolds = Number.isInteger(folds) && folds >= 2;
  const isReady = model && dataset && areFolds && !trainings.loading;
  const begin = async () => {
    setBusy(true);
    setError(null);
    try {
      go(["cross-validations", (await send(request)).id]);
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  const recipes = [...(last ? [["last", `that of version ${last.version}`]] : []), ["auto", "chosen for the data"]];
  return html`
    <section class="card" aria-labelledby="begin">
      <h2 id="begin">Cross-validate a model's recipe</h2>
      <div class="pair">
        <${SelectField} label="Model" value=${model} options=${[["", "Choose a model"], ...Object.entries(names.models)]} onInput=${(id) => remember({ model: id })} hint="Trainings begin from its first parameters; it gets no version." />
        <${SelectField} label="Dataset" value=${dataset} options=${[["", "Choose a dataset"], ...Object.entries(names.datasets)]} onInput=${(id) => remember({ dataset: id })} hint="Its test part stays out." />
        <${NumberField} label="Folds" value=${shownFolds} min="2" step="1" onInput=${typeFolds} fault=${areFolds ? null : "A whole number from 2."} />
        <${SelectField} label="Recipe" value=${isAuto ? "auto" : "last"} options=${recipes} onInput=${(recipe) => remember({ recipe })} />
      </div>
      <${ErrorNotice} error=${error ?? trainings.error} />
      <div class="actions"><button type="button" class="main" disabled=${busy || !isReady} onClick=${begin}>Cross-validate</button>
        <span class="quiet" role="status">${busy ? "Starting …" : model && dataset ? "" : "Choose a model and a dataset."}</span></div>
      ${isReady && html`<${MadeBy} requests=${[["Begin it", request]]} />`}
    </section>`;
}
