/** Evaluations of a version on a part of a dataset. */
import { pathOf, send } from "../../lib/api.js";

const LOOKED_AT = 200;

/** The request that makes one; `more` is asked of it. */
export function evaluating(model, version, dataset, part, more) {
  return { method: "POST", path: `${pathOf("models", model.id)}/evaluations`, body: { dataset: dataset.id, part, version, ...more } };
}

/** The newest that is there already and has what is looked for. */
export async function evaluated(model, version, dataset, part, has, signal) {
  const { items } = await send({ path: `${pathOf("models", model.id)}/evaluations`, query: { limit: LOOKED_AT } }, signal);
  return items.find((each) => each.version === version && each.dataset === dataset.id && each.part === part && each.epoch === null && has(each));
}
