/** The states of a job in words, and the requests that read and steer it. */
import { pathOf } from "../../lib/api.js";

const ENDED = ["succeeded", "failed", "cancelled"];
const ENDED_EARLY = {
  early_stopping: "It has ended early, as the loss no longer fell", stop: "It has ended early, as it was asked to",
  max_seconds: "It has ended early, as its time was over",
};
const ASKED = { cancel: "is being cancelled", stop: "is being stopped", pause: "is about to rest" };

export function hasEnded(job) {
  return ENDED.includes(job.state);
}

/** The epoch whose parameters became the version where that is not the last; else null, as where all rows trained anew. */
export function bestKept({ version, recipe, best }, log = []) {
  const isRefitted = recipe.refit && !has(log, "refit_dropped");
  return version !== null && recipe.keep === "best" && !isRefitted && best ? best.epoch : null;
}

function has(log, event) {
  return log.some((each) => each.event === event);
}

/** Whether the log has still to tell that all rows train anew. */
export function awaitsRefit(job, log) {
  return Boolean(job?.recipe.refit) && job.state === "running" && !has(log, "refit_begun");
}

/** A sentence about the state of a job. */
export function told(job, log = []) {
  if (job.state === "succeeded") return ENDED_EARLY[job.ended_by] ?? "It has succeeded";
  if (job.state === "failed") return "It has failed";
  if (job.state === "cancelled") return "It was cancelled";
  if (job.asked) return `It ${ASKED[job.asked] ?? `is asked to ${job.asked}`}`;
  if (job.state === "running" && has(log, "refit_begun") && !has(log, "refit_dropped")) return "All rows train anew, for as many epochs as were best";
  return { queued: "It waits for a worker", running: "It is running", paused: "It rests" }[job.state] ?? `It is ${job.state}`;
}

export function logOf(id) {
  return { path: `${pathOf("jobs", id)}/log`, query: { limit: 1000 } };
}

export function asking(id, verb) {
  return { method: "POST", path: `${pathOf("jobs", id)}/${verb}` };
}

export function changing(id, changes) {
  return { method: "PATCH", path: pathOf("jobs", id), body: changes };
}
