/** The tutorial "fitting a straight line" as requests: its data, its model, its two trainings. */
import { ApiError, pathOf, send } from "../../lib/api.js";

const LABEL = { page: "fit-a-line" };
const XS = Array.from({ length: 11 }, (_, x) => x);
const TESTED = 5;

/** Weights that the tutorial begins from: its losses and predictions belong to the first, the parameters it prints to the second. */
export const STARTS = [0.9066542, 1.30379];
/** The tutorial trains one epoch first, to look at it, then these many more. */
export const MORE = 200;
export const RATE = 0.1;

export const DATASET = {
  method: "POST",
  path: "/api/datasets",
  body: { name: "fit-a-line", columns: { x: XS, y: XS.map((x) => 4 * x + 2) }, targets: ["y"], split: { test: { last: TESTED } }, labels: LABEL },
};
export const MODEL = {
  method: "POST",
  path: "/api/models",
  body: { name: "fit-a-line", architecture: "Dense(1 => 1)", parameters: [{ weight: [[STARTS[0]]], bias: [0] }], labels: LABEL },
};

/** The points as the dataset will hold them, to be seen before the service has answered. */
export const POINTS = XS.map((x, row) => ({ part: row < XS.length - TESTED ? "train" : "test", x, y: 4 * x + 2 }));

/** Return dataset, model and the points, which are made on the first visit. */
export async function prepare(signal) {
  const [dataset, model] = await Promise.all([foundOrMade(DATASET, signal), foundOrMade(MODEL, signal)]);
  const rows = await send({ path: `${pathOf("datasets", dataset.id)}/rows` }, signal);
  const points = rows.items.map(({ part, values }) => ({ part, x: values.x, y: values.y }));
  return { dataset: dataset.id, model: model.id, points };
}

async function foundOrMade(request, signal) {
  const { items } = await send({ path: request.path, query: { label: `page:${LABEL.page}`, limit: 1 } }, signal);
  if (items.length) return items[0];
  try {
    return await send(request, signal);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 409) throw error;
    const { name: _, ...rest } = request.body; // somebody's own thing has the name
    return send({ ...request, body: rest }, signal);
  }
}

/** Set weight and bias, which makes a version of the model. */
export function settingOf(model, { weight, bias }) {
  return { method: "PUT", path: `${pathOf("models", model)}/parameters`, body: { layers: [{ weight: [[weight]], bias: [bias] }] } };
}

/** Train from a version; every epoch is kept. */
export function trainingOf({ dataset, model }, version, epochs, rate) {
  const body = { model, dataset, from_version: version, epochs, optimiser: { rule: "Descent", eta: rate }, keep_every: 1 };
  return { method: "POST", path: "/api/jobs", headers: { Prefer: "wait=30" }, body };
}

/** The plan of a training, which computes nothing. */
export function planOf(place, rate) {
  const { headers: _, ...request } = trainingOf(place, null, MORE, rate);
  return { ...request, query: { validate_only: true } };
}

export function epochsOf(job) {
  return { path: `${pathOf("jobs", job)}/epochs`, query: { limit: 1000 } };
}

/** The line of one kept epoch. */
export function parametersOf(model, version, epoch) {
  return { path: `${pathOf("models", model)}/parameters`, query: { version, epoch } };
}

export function predictionOf(model, version) {
  return { method: "POST", path: `${pathOf("models", model)}/predictions`, query: { version }, body: { inputs: XS.slice(6).map((x) => [x]) } };
}

/**
 * One training, or several that go on from each other.
 * @typedef {object} Run
 * @property {{job: any, from: number}[]} parts each job, and the epochs before it
 * @property {number[]} epochs
 * @property {(number|null)[]} losses
 * @property {{weight: number, bias: number, rate: number}} start
 * @property {Map<number, {weight: number, bias: number}>} lines by epoch, as far as they were asked for
 * @property {number[]} predictions for the test points
 */

/** Train `epochs` more after `run`, or from `start` where there is none. @returns {Promise<Run>} */
export async function train(place, run, start, version, epochs, signal) {
  const before = run ? run.epochs.at(-1) : 0;
  let job = await send(trainingOf(place, version, epochs, start.rate), signal);
  while (["queued", "running"].includes(job.state)) {
    job = await send({ path: pathOf("jobs", job.id), headers: { Prefer: "wait=30" } }, signal);
  }
  const reports = (await send(epochsOf(job.id), signal)).items;
  const fresh = run ? reports.slice(1) : reports; // a job's report 0 is the last of the job before
  const ended = job.version !== null;
  return {
    parts: [...(run?.parts ?? []), { job, from: before }],
    epochs: [...(run?.epochs ?? []), ...fresh.map((each) => each.epoch + before)],
    losses: [...(run?.losses ?? []), ...fresh.map((each) => each.train_loss)],
    start,
    lines: run?.lines ?? new Map([[0, { weight: start.weight, bias: start.bias }]]),
    predictions: ended ? (await send(predictionOf(place.model, job.version), signal)).outputs.map(([y]) => y) : [],
  };
}

/** Return the line of an epoch of a run, or null where its job kept none. */
export async function lineAt(place, run, epoch, signal) {
  const known = run.lines.get(epoch);
  if (known) return known;
  const part = run.parts.findLast(({ from }) => from < epoch);
  if (!part || part.job.version === null) return null;
  const { layers } = await send(parametersOf(place.model, part.job.version, epoch - part.from), signal);
  const line = { weight: layers[0].weight[0][0], bias: layers[0].bias[0] };
  run.lines.set(epoch, line);
  return line;
}

/** The mean squared error of a line over the points of a part. */
export function lossOf(points, { weight, bias }, part) {
  const chosen = points.filter((point) => point.part === part);
  return chosen.reduce((sum, { x, y }) => sum + (weight * x + bias - y) ** 2, 0) / chosen.length;
}
