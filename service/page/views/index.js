/** The views by the first word of their address; one is loaded when it is shown first. */

/**
 * @typedef {object} View
 * @property {string} title
 * @property {string} [inNav] its name in the navigation; a view without is reached by links
 * @property {string} [under] the view in the navigation that it belongs to
 * @property {() => Promise<{default: any}>} load
 */

/** @type {Record<string, View>} */
export const VIEWS = {
  "fit-a-line": { title: "Fit a line", inNav: "Fit a line", load: () => import("./fit_a_line/view.js") },
  "own-data": { title: "Your own data", inNav: "Your own data", load: () => import("./own_data/view.js") },
  jobs: { title: "Trainings", inNav: "Trainings", load: () => import("./jobs/view.js") },
  sweeps: { title: "Searches", under: "jobs", load: () => import("./sweeps/view.js") },
  "cross-validations": { title: "Cross-validations", under: "jobs", load: () => import("./cross_validations/view.js") },
  models: { title: "Models", inNav: "Models", load: () => import("./models/view.js") },
  datasets: { title: "Datasets", inNav: "Datasets", load: () => import("./datasets/view.js") },
  vocabulary: { title: "Words", inNav: "Words", load: () => import("./vocabulary/view.js") },
  guide: { title: "Guide", inNav: "Guide", load: () => import("./guide/view.js") },
  compare: { title: "Compare trainings", under: "jobs", load: () => import("./compare.js") },
};

const FIRST = "fit-a-line";
/** What stands in the place of every view where the service needs a key. @type {{name: string, view: View}} */
export const SIGN_IN = { name: "", view: { title: "Sign in", load: () => import("./sign_in.js") } };
const UNKNOWN = { title: "Not found", load: () => import("./not_found.js") };

/** Return the view of a route, and its name. @returns {{name: string, view: View}} */
export function viewOf({ path }) {
  const name = path[0] ?? FIRST;
  return { name, view: Object.hasOwn(VIEWS, name) ? VIEWS[name] : UNKNOWN };
}
