/** Who is signed in: a cookie that scripts cannot read says so to the service; here is only the owner's name. */
import { signal } from "./preact.js";

const NAME = "descent-owner";

/** Whether the API has answered that it needs a key. */
export const keyIsNeeded = signal(false);
/** The owner that this browser has signed in for, or "". */
export const owner = signal(stored());

export function rememberOwner(name) {
  owner.value = name;
  try {
    if (name) localStorage.setItem(NAME, name);
    else localStorage.removeItem(NAME);
  } catch {
    // A browser that stores nothing shows the name until the page is closed.
  }
}

function stored() {
  try {
    return localStorage.getItem(NAME) ?? "";
  } catch {
    return "";
  }
}
