/** A network and a training that suit a dataset, to begin with. */

export const ACTIVATIONS = ["tanh", "relu", "gelu", "swish", "sigmoid"];
export const RULES = ["Adam", "AdamW", "RMSProp", "Momentum", "Descent"];
/** What each loss counts. */
export const LOSSES = {
  mse: "Squared error of numbers.", mae: "Absolute error of numbers.", huber_loss: "Squared where it is small, else absolute error.",
  logitcrossentropy: "Cross-entropy of several classes.", logitbinarycrossentropy: "Cross-entropy of yes or no.",
};
const RATES = { Adam: 0.01, AdamW: 0.01, RMSProp: 0.005, Momentum: 0.01, Descent: 0.05 };

/** Kept epochs are at most so many: enough to scrub through, few enough to store. */
export const MOST_KEPT = 200;

/**
 * @typedef {object} Training
 * @property {string} hidden widths of the hidden layers: "16, 16"
 * @property {string} activation
 * @property {string} loss
 * @property {string} rule
 * @property {number | null} rate
 * @property {number | null} epochs
 * @property {number | null} batch rows of a batch; null: all of them
 * @property {number} seed
 * @property {boolean} isAuto whether the service chooses the recipe
 */

/** @returns {Training} */
export function suggestionFor(dataset) {
  const rows = dataset.parts.train;
  const width = Math.min(64, Math.max(8, 8 * Math.ceil((dataset.inputs + dataset.outputs) / 8)));
  const batch = rows > 1000 ? (rows > 50000 ? 512 : 128) : null;
  const steps = batch ? Math.ceil(rows / batch) : 1;
  return {
    hidden: rows < 50 ? String(Math.min(width, 8)) : rows < 2000 ? String(width) : `${width}, ${width}`,
    activation: "tanh",
    loss: lossFor(dataset.targets),
    rule: "Adam",
    rate: RATES.Adam,
    epochs: Math.max(10, Math.min(500, Math.round(5000 / steps / 10) * 10)),
    batch,
    seed: 0,
    isAuto: false,
  };
}

export function lossFor(targets) {
  const kinds = new Set(targets.map((target) => target.kind));
  if (targets.length === 1 && kinds.has("categorical")) return "logitcrossentropy";
  return kinds.size === 1 && kinds.has("boolean") ? "logitbinarycrossentropy" : "mse";
}

export function rateFor(rule) {
  return RATES[rule];
}

/** Return the widths of hidden layers that a text names, or null where it names none that can be. */
export function widthsOf(hidden) {
  const words = hidden.split(/[\s,;]+/).filter(Boolean);
  const widths = words.map(Number);
  return widths.every((width) => Number.isInteger(width) && width > 0 && width <= 4096) && widths.length <= 20 ? widths : null;
}

/** Return the network in Flux's notation, or null where the hidden widths cannot be read. */
export function architectureOf(dataset, { hidden, activation }) {
  const widths = widthsOf(hidden);
  if (!widths) return null;
  const all = [dataset.inputs, ...widths, dataset.outputs];
  const layers = all.slice(1).map((out, index) => {
    const isLast = index === widths.length;
    return `Dense(${all[index]} => ${out}${isLast ? "" : `, ${activation}`})`;
  });
  return layers.length === 1 ? layers[0] : `Chain(${layers.join(", ")})`;
}

/** Return how many epochs lie between two that are kept. */
export function keepEvery(epochs) {
  return Math.max(1, Math.ceil(epochs / MOST_KEPT));
}

/** Return the body of a job. @param {Training & {chosen?: number}} training `chosen` epochs are known once a plan has chosen them */
export function jobOf(dataset, model, training) {
  const { epochs, rule, rate, loss, batch, seed, isAuto, chosen } = training;
  if (isAuto) return { model, dataset: dataset.id, recipe: "auto", ...(seed && { seed }), ...(chosen && { keep_every: keepEvery(chosen) }) };
  return {
    model,
    dataset: dataset.id,
    epochs,
    loss,
    optimiser: { rule, eta: rate },
    standardise: dataset.targets.some((target) => target.kind !== "numeric") ? "inputs" : "both",
    ...(batch && { batch_size: batch, shuffle: true }),
    ...(seed && { seed }),
    ...(dataset.parts.validation > 0 && { keep: "best" }),
    keep_every: keepEvery(epochs),
  };
}
