/** The button that signs out, once somebody has signed in. */
import { html } from "../lib/preact.js";
import { send } from "../lib/api.js";
import { useSignals } from "../lib/hooks.js";
import { owner, rememberOwner } from "../lib/session.js";

export function SignOut() {
  const name = useSignals(() => owner.value);
  if (!name) return null;
  const signOut = async () => {
    try {
      await send({ method: "DELETE", path: "/api/sign-in" });
    } finally {
      rememberOwner("");
      location.reload();
    }
  };
  return html`<button type="button" class="small" onClick=${signOut}>Sign out <span class="owner">${name}</span></button>`;
}
