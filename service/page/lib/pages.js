/** Lists of the API, which come page by page. */
import { send } from "./api.js";

const MOST = 1000;

/** Read all things of a list. */
export async function allOf(path, signal) {
  const items = [];
  let after = null;
  do {
    const page = await send({ path, query: { limit: MOST, after } }, signal);
    items.push(...page.items);
    after = page.next;
  } while (after !== null);
  return items;
}
