/** Names of models and datasets by their ids. */
import { useLoaded } from "./hooks.js";
import { allOf } from "./pages.js";

const DELETED = { models: "a deleted model", datasets: "deleted" };

/** Read all names; `nameOf` has the end of the id until these are known, and says so of a thing that was deleted. */
export function useNames() {
  const loaded = useLoaded(async (signal) => {
    const [models, datasets] = await Promise.all([read("/api/models", signal), read("/api/datasets", signal)]);
    return { models, datasets };
  }, []);
  const names = loaded.value ?? { models: {}, datasets: {} };
  const nameOf = (kind, id) => names[kind][id] ?? (loaded.value ? DELETED[kind] : `…${id.slice(-6)}`);
  return { ...names, nameOf, error: loaded.error };
}

async function read(path, signal) {
  return Object.fromEntries((await allOf(path, signal)).map(({ id, name }) => [id, name]));
}
