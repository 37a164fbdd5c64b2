/** The words that recipes and networks are made of: formulas, parameters, and plots of activations and schedules. */
import { html } from "../../lib/preact.js";
import { styled } from "../../lib/style.js";
import { send } from "../../lib/api.js";
import { useLoaded } from "../../lib/hooks.js";
import { remember } from "../../lib/router.js";
import { TextField } from "../../components/field.js";
import { MadeBy } from "../../components/made_by.js";
import { ErrorNotice } from "../../components/notice.js";
import { curveOf } from "./curves.js";

await Promise.all([styled("views.css"), styled("things.css")]);

const REQUEST = { path: "/api/vocabulary" };
const KINDS = { layers: "Layers", activations: "Activations", losses: "Losses", optimisers: "Optimisers", schedules: "Schedules", inits: "First parameters" };
const [WIDTH, HEIGHT, EDGE] = [220, 110, 6];

export default function Vocabulary({ route }) {
  const loaded = useLoaded((signal) => send(REQUEST, signal), []);
  const kind = Object.hasOwn(KINDS, route.query.get("kind") ?? "") ? route.query.get("kind") : "activations";
  const wanted = (route.query.get("search") ?? "").toLowerCase();
  const terms = (loaded.value?.[kind] ?? []).filter(({ name, description }) => `${name} ${description}`.toLowerCase().includes(wanted));
  return html`
    <h1 tabindex="-1">Words</h1>
    <p class="lead">Networks and recipes are made of these.</p>
    <div class="choices" role="group" aria-label="Kind">
      ${Object.entries(KINDS).map(([name, label]) => html`<button type="button" key=${name} aria-pressed=${name === kind} onClick=${() => remember({ kind: name })}>${label}</button>`)}
    </div>
    <${TextField} label="Search" value=${route.query.get("search") ?? ""} onInput=${(search) => remember({ search })} />
    <${ErrorNotice} error=${loaded.error} />
    ${kind === "schedules" && html`<p class="quiet">Plots begin at 1, or go between 1 and 0.1, with a period or step of 25 epochs.</p>`}
    <ul class="cards">${terms.map((term) => html`<${Term} key=${term.name} kind=${kind} term=${term} />`)}</ul>
    ${loaded.value && !terms.length && html`<p class="quiet" role="status">No word has this in it.</p>`}
    <${MadeBy} requests=${[["Read all words", REQUEST]]} />`;
}

function Term({ kind, term }) {
  const curve = curveOf(kind, term);
  return html`
    <li class="column">
      <h2><code>${term.name}</code></h2>
      ${curve && html`<${Plot} curve=${curve} name=${term.name} />`}
      <p><code>${term.formula}</code></p>
      ${term.description && html`<p>${term.description}</p>`}
      ${term.parameters.length > 0 && html`
        <dl class="terms">${term.parameters.map((each) => html`<div key=${each.name}>
          <dt><code>${each.name}</code>${each.required ? "" : ` = ${JSON.stringify(each.default)}`}</dt><dd>${each.description} <span class="quiet">(${each.kind})</span></dd></div>`)}</dl>`}
    </li>`;
}

function Plot({ curve: { xs, ys, x }, name }) {
  const [low, high] = [Math.min(0, ...ys), Math.max(0, ...ys)];
  const left = (value) => EDGE + ((value - xs[0]) / (xs.at(-1) - xs[0])) * (WIDTH - 2 * EDGE);
  const top = (value) => HEIGHT - EDGE - ((value - low) / (high - low || 1)) * (HEIGHT - 2 * EDGE);
  const round = (value) => Number(value.toPrecision(3));
  return html`
    <svg class="term-plot" role="img" aria-label="${name} over ${x} from ${xs[0]} to ${xs.at(-1)}: from ${round(ys[0])} to ${round(ys.at(-1))}, between ${round(low)} and ${round(high)}" viewBox="0 0 ${WIDTH} ${HEIGHT}">
      <line x1=${EDGE} x2=${WIDTH - EDGE} y1=${top(0)} y2=${top(0)} />
      ${xs[0] < 0 && html`<line x1=${left(0)} x2=${left(0)} y1=${EDGE} y2=${HEIGHT - EDGE} />`}
      <polyline points=${xs.map((each, index) => `${left(each).toFixed(1)},${top(ys[index]).toFixed(1)}`).join(" ")} />
    </svg>`;
}
