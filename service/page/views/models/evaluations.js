/** Evaluations of a version on a part of a dataset. */
import { pathOf } from "../../lib/api.js";
import { pagesOf } from "../../lib/pages.js";

const pathOfAll = (model) => `${pathOf("models", model.id)}/evaluations`;

/** The request that makes one; `more` is asked of it. */
export function evaluating(model, version, dataset, part, more) {
  return { method: "POST", path: pathOfAll(model), body: { dataset: dataset.id, part, version, ...more } };
}

/** The newest that is there already and has what is looked for. */
export async function evaluated(model, version, dataset, part, has, signal) {
  for await (const items of pagesOf(pathOfAll(model), signal)) {
    const found = items.find((each) => each.version === version && each.dataset === dataset.id && each.part === part && each.epoch === null && has(each));
    if (found) return found;
  }
  return undefined;
}
