/** Lists of the API, which come page by page. */
import { send } from "./api.js";

const MOST = 1000;

/** The things of each page of a list, until nobody asks for more. */
export async function* pagesOf(path, signal) {
  let after = null;
  do {
    const page = await send({ path, query: { limit: MOST, after } }, signal);
    yield page.items;
    after = page.next;
  } while (after !== null);
}

/** Read all things of a list. */
export async function allOf(path, signal) {
  const items = [];
  for await (const page of pagesOf(path, signal)) items.push(...page);
  return items;
}
