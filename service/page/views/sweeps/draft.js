/** A search that has not begun: what it varies, and the request that begins it. */
import { ACTIVATIONS, architectureOf, lossFor } from "../../lib/suggestion.js";

export const METHODS = { asha: "drop the worst early (asha)", random: "train all to the end (random)", grid: "all combinations (grid)" };

/** What can be varied, with the words for it. */
export const VARIED = { rate: "Learning rate", network: "Hidden layers", batch: "Rows of a batch", decay: "Weight decay" };

const HIDDEN = ["", "8", "16", "32", "64", "16, 16", "32, 32", "64, 64"];
const BATCHES = [16, 32, 64, 128, 256, 512];
const FEW = 3;

/** @typedef {{model: string, vary: string[], method: string, trials: number, epochs: number, seed: number}} Draft */

/** Read a draft from the address. @returns {Draft} */
export function draftOf({ query }) {
  const number = (word, otherwise) => (Number(query.get(word)) >= 1 ? Math.floor(Number(query.get(word))) : otherwise);
  const method = Object.hasOwn(METHODS, query.get("method") ?? "") ? query.get("method") : "asha";
  const model = query.get("model") ?? "";
  const asked = query.get("vary")?.split(",").filter((word) => Object.hasOwn(VARIED, word)) ?? ["rate", "network"];
  return {
    model, method, vary: asked.filter((word) => word !== "network" || !model),
    trials: number("trials", 20), epochs: number("epochs", 81), seed: number("seed", 0),
  };
}

/** The request that begins a search on a dataset; every network is varied where no model is named. @param {Draft} draft */
export function beginning(dataset, draft, name) {
  const { model, vary, method, trials, epochs, seed } = draft;
  const isGrid = method === "grid";
  const rows = dataset.parts.train;
  const batches = BATCHES.filter((batch) => batch <= rows);
  const networks = (vary.includes("network") ? HIDDEN : ["16"]).map((hidden) => architectureOf(dataset, { hidden, activation: ACTIVATIONS[0] }));
  const places = {
    ...(!model && { architecture: networks }),
    ...(vary.includes("rate") && { "optimiser.eta": isGrid ? [0.001, 0.01, 0.1] : { log: [1e-4, 0.1] } }),
    ...(vary.includes("batch") && batches.length > 0 && { batch_size: isGrid ? batches.slice(0, FEW) : batches }),
    ...(vary.includes("decay") && { "optimiser.lambda": isGrid ? [1e-4, 1e-2] : { log: [1e-5, 0.1] } }),
  };
  const recipe = {
    epochs,
    loss: lossFor(dataset.targets),
    optimiser: { rule: "AdamW", eta: 0.01, lambda: 0.001 },
    standardise: dataset.targets.some((target) => target.kind !== "numeric") ? "inputs" : "both",
    ...(rows >= BATCHES[1] && { batch_size: BATCHES[1], shuffle: true }),
    keep: "best",
    ...(dataset.parts.validation === 0 && { validation: { fraction: 0.2 } }),
  };
  const body = { name, ...(model && { model }), dataset: dataset.id, recipe, vary: places, method, trials, seed };
  return { method: "POST", path: "/api/sweeps", body };
}
