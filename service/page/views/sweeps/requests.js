/** A search in words, and the request that began it. */
import { figure } from "../../lib/format.js";

export function hasEnded({ state }) {
  return state === "succeeded" || state === "failed";
}

/** A sentence about the state of a search. */
export function told(sweep) {
  if (sweep.asked && !hasEnded(sweep)) return "It is being stopped";
  return { running: "It is running", paused: "It rests", succeeded: "It has succeeded", failed: "It has failed" }[sweep.state] ?? `It is ${sweep.state}`;
}

/** The values of a trial, short: a name of its own for charts, or one value for a cell. */
export function written(varied, named = true) {
  return Object.entries(varied).map(([place, value]) => `${named ? `${place.split(".").at(-1)} ` : ""}${plain(value)}`).join(", ");
}

function plain(value) {
  if (typeof value === "number") return figure(value, 4);
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

/** The request that began a search. */
export function creating(sweep) {
  const { name, model, dataset, recipe, vary, method, trials, monitor, seed } = sweep;
  const body = { name, ...("architecture" in vary ? {} : { model }), dataset, recipe, vary, method, trials, monitor, seed };
  return { method: "POST", path: "/api/sweeps", body };
}
