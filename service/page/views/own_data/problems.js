/** Faults and advice of a table, each with its remedies as buttons. */
import { html } from "../../lib/preact.js";
import { Notice } from "../../components/notice.js";
import { withRemedy } from "./options.js";
import { remediesIn } from "./remedies.js";

export function Problems({ faults, advice, names, options, onChange }) {
  // That no target is chosen yet is no fault: the view asks for one, and the answer may be older than the choice.
  const real = faults.filter((fault) => fault.pointer !== "query/targets" || !fault.detail.startsWith("Name the columns"));
  if (!real.length && !advice.length) return null;
  return html`
    <section class="card" aria-label=${real.length ? "Faults" : "Advice"}>
      <h2>${real.length ? "To mend first" : "To know"}</h2>
      ${real.map((fault) => html`<${Told} key=${fault.pointer + fault.detail} kind="error" fault=${fault} names=${names} options=${options} onChange=${onChange} />`)}
      ${advice.map((each) => html`<${Told} key=${each.code + each.detail} kind="advice" fault=${each} names=${names} options=${options} onChange=${onChange} />`)}
    </section>`;
}

function Told({ kind, fault, names, options, onChange }) {
  const remedies = remediesIn(fault.detail, names);
  return html`
    <${Notice} kind=${kind}>
      ${fault.detail}
      ${remedies.length > 0 && html`
        <div class="choices">
          ${remedies.map(({ does, changes }) => html`
            <button type="button" class="small" key=${does} onClick=${() => onChange(withRemedy(options, changes))}>${does}</button>`)}
        </div>`}
    </${Notice}>`;
}
