/** The requests that made a view, as programs to copy. */
import { html, signal, useState } from "../lib/preact.js";
import { addressOf } from "../lib/api.js";
import { useSignals } from "../lib/hooks.js";

const language = signal("curl");

/** @param {{requests: [string, import("../lib/api.js").ApiRequest][]}} properties each with the words for what it does */
export function MadeBy({ requests }) {
  const chosen = useSignals(() => language.value);
  const [languages, setLanguages] = useState({});
  // Programs are written when somebody wants to see them: the first view loads without.
  const open = async () => setLanguages((await import("../lib/request_text.js")).LANGUAGES);
  return html`
    <details class="made-by" onToggle=${open}>
      <summary>The ${requests.length === 1 ? "request" : "requests"} that made this</summary>
      <div class="choices" role="group" aria-label="Language">
        ${Object.keys(languages).map((name) => html`
          <button type="button" key=${name} aria-pressed=${name === chosen} onClick=${() => { language.value = name; }}>${name}</button>`)}
      </div>
      ${languages[chosen] && requests.map(([does, request]) => html`
        <${Program} key=${does} does=${does} request=${request} language=${chosen} write=${languages[chosen]} />`)}
    </details>`;
}

function Program({ does, request, language: name, write }) {
  const [told, setTold] = useState("");
  const text = write(request, location.origin);
  const copy = async (event) => {
    const code = event.currentTarget.closest(".program").querySelector("code");
    try {
      await navigator.clipboard.writeText(text);
      setTold("Copied");
    } catch {
      // Only pages of https and of this machine may write to the clipboard.
      getSelection()?.selectAllChildren(code);
      setTold("Selected: press Ctrl+C");
    }
  };
  return html`
    <div class="program">
      <p>${does}: <code>${request.method ?? "GET"} ${addressOf(request)}</code></p>
      <pre tabindex="0" aria-label="${does}, in ${name}"><code>${text}</code></pre>
      <button type="button" onClick=${copy}>Copy</button> <span role="status">${told}</span>
    </div>`;
}
