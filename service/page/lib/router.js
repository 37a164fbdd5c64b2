/** The router: the view and its state stand in the address, behind `#`, and in nothing else. */
import { signal } from "./preact.js";

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
let known = location.hash;
addEventListener("hashchange", () => {
  known = location.hash;
  route.value = parsed(known);
});

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

/** Milliseconds between two changes of the address: browsers refuse more than a hundred in ten seconds. */
const PAUSE = 100;
let [written, timer] = [0, 0];

/** Change the state in the address without a step in the browser's history. */
export function remember(changes) {
  const { path, query } = route.value;
  const next = linkTo(path, { ...Object.fromEntries(query), ...changes });
  if (next === linkTo(path, Object.fromEntries(query))) return;
  route.value = parsed(next);
  const due = written + PAUSE - performance.now();
  if (due <= 0) write();
  else timer ||= setTimeout(write, due);
}

function write() {
  timer = 0;
  if (location.hash !== known) return; // another view was asked for meanwhile
  written = performance.now();
  history.replaceState(null, "", linkTo(route.value.path, Object.fromEntries(route.value.query)));
  known = location.hash;
}
