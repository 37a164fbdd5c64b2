/** The form that asks for a key, where the service needs one. */
import { html, useState } from "../lib/preact.js";
import { send } from "../lib/api.js";
import { keyIsNeeded, rememberOwner } from "../lib/session.js";
import { ErrorNotice } from "../components/notice.js";
import { TextField } from "../components/field.js";

export default function SignIn() {
  const [key, setKey] = useState("");
  const [error, setError] = useState(null);
  const signIn = async (event) => {
    event.preventDefault();
    try {
      const made = await send({ method: "POST", path: "/api/sign-in", body: { key: key.trim() } });
      setKey("");
      rememberOwner(made.owner);
      keyIsNeeded.value = false;
    } catch (problem) {
      setError(problem);
    }
  };
  return html`
    <h1 tabindex="-1">Sign in</h1>
    <p class="lead">This service needs a key. The browser keeps a cookie in its place for twelve hours, and never the key.</p>
    <form class="card" onSubmit=${signIn}>
      <${ErrorNotice} error=${error} />
      <${TextField} label="Key" type="password" value=${key} onInput=${setKey} hint="It begins with dsc_; whoever runs the service makes keys." />
      <button class="main" disabled=${!key.trim()}>Sign in</button>
    </form>`;
}
