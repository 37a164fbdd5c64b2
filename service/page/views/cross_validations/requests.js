/** The requests of cross-validations. */
import { pathOf } from "../../lib/api.js";

/** Fields of a job's recipe that are about that job alone. */
const OF_ONE_JOB = ["from_version", "from_epoch", "rename", "keep_every", "path"];

/** The recipe of a training, to be trained once a fold. */
export function recipeOf(training) {
  return Object.fromEntries(Object.entries(training.recipe).filter(([word, value]) => !OF_ONE_JOB.includes(word) && value !== null));
}

export function beginning(model, dataset, folds, recipe, seed = 0) {
  return { method: "POST", path: "/api/cross-validations", body: { model, dataset, folds, recipe, ...(seed && { seed }) } };
}

export function predictionsOf(id, after = null) {
  return { path: `${pathOf("cross-validations", id)}/predictions`, query: { limit: 1000, after } };
}

export function hasEnded({ state }) {
  return state !== "running";
}
