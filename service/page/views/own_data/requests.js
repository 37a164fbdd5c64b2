/** The requests of this view. */
import { ApiError, pathOf, send } from "../../lib/api.js";
import { jobOf } from "../../lib/suggestion.js";
import { nameOf } from "./source.js";
import { queryOf } from "./options.js";

/** Look at the beginning of a file; nothing is stored. */
export function lookAt(source, options) {
  const query = { validate_only: true, ...queryOf(options) };
  return { method: "POST", path: "/api/datasets", query, file: source.look, type: source.type, fileName: source.name };
}

/** Store the file. */
export function storing(source, options, name) {
  const query = { name, ...queryOf(options) };
  return { method: "POST", path: "/api/datasets", query, file: source.file, type: source.type, fileName: source.name };
}

export function creating(architecture, name, seed) {
  return { method: "POST", path: "/api/models", body: { ...(name && { name }), architecture, ...(seed && { seed }) } };
}

export function planning(dataset, model, training) {
  return { method: "POST", path: "/api/jobs", query: { validate_only: true }, body: jobOf(dataset, model, training) };
}

export function starting(dataset, model, training) {
  return { method: "POST", path: "/api/jobs", body: jobOf(dataset, model, training) };
}

/** Return a name that nothing of this kind has: the file's, or that with a number. */
export async function freeName(kind, wanted, signal) {
  const { items } = await send({ path: `/api/${kind}`, query: { name: wanted, limit: 1000 } }, signal);
  const taken = new Set(items.map((each) => each.name));
  if (!taken.has(wanted)) return wanted;
  for (let number = 2; ; number += 1) {
    if (!taken.has(`${wanted}-${number}`)) return `${wanted}-${number}`;
  }
}

/** Store a file under its own name, or that with a number. */
export async function store(source, options, signal) {
  return send(storing(source, options, await freeName("datasets", nameOf(source.name), signal)), signal);
}

/** Take something away that was made for a look; that it is gone or in use already is fine. */
export async function discard(kind, id) {
  try {
    await send({ method: "DELETE", path: pathOf(kind, id) });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}
