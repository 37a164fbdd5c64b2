/** The router: the view and its state stand in the address, behind `#`, and in nothing else. */
import { signal } from "./signals.js";

/** @typedef {{path: string[], query: URLSearchParams}} Route */

/** Read an address: `#/jobs/job_1?epoch=5` is the path `["jobs", "job_1"]` with a query. @returns {Route} */
export function parsed(hash) {
  const [path, query = ""] = hash.replace(/^#?\/?/, "").split("?");
  return { path: path.split("/").filter(Boolean).map(plain), query: new URLSearchParams(query) };
}

function plain(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The present route. */
export const route = signal(parsed(location.hash));
addEventListener("hashchange", () => { route.value = parsed(location.hash); });

/** Return the address of a view: `linkTo(["jobs", id], {epoch: 5})`; what is null or empty is left out. */
export function linkTo(path, query = {}) {
  const kept = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const words = new URLSearchParams(kept.map(([name, value]) => [name, String(value)])).toString();
  return `#/${path.map(encodeURIComponent).join("/")}${words && `?${words}`}`;
}

/** Go to another view. */
export function go(path, query) {
  location.hash = linkTo(path, query);
}

/** Change the state in the address without a step in the browser's history. */
export function remember(changes) {
  const { path, query } = route.value;
  const next = linkTo(path, { ...Object.fromEntries(query), ...changes });
  if (next === location.hash) return;
  history.replaceState(null, "", next);
  route.value = parsed(next);
}
