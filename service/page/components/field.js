/** Fields of forms, each with its label, a hint and its fault. */
import { html, useState } from "../lib/preact.js";
import { useName } from "../lib/hooks.js";

/** A label, what `control` makes of the field's attributes, a hint and a fault. */
export function Field({ label, hint, fault, control }) {
  const id = useName("field");
  const described = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(" ");
  return html`
    <div class="field ${fault ? "faulty" : ""}">
      <label for=${id}>${label}</label>
      ${control({ id, "aria-describedby": described || null, "aria-invalid": fault ? "true" : null })}
      ${hint && html`<p class="hint" id="${id}-hint">${hint}</p>`}
      ${fault && html`<p class="fault" id="${id}-fault">${fault}</p>`}
    </div>`;
}

export function TextField({ value, onInput, type = "text", ...field }) {
  return html`<${Field} ...${field} control=${(names) => html`
    <input ...${names} type=${type} value=${value} autocomplete="off" spellcheck=${false}
      onInput=${(event) => onInput(event.currentTarget.value)} />`} />`;
}

/**
 * An input of a number; `tell` and `tellChange` get null where the text is none. While one types, nothing writes the text
 * anew: "-2.0" would become "-2" on the way to "-2.05", and Chromium leaves out the change event after a script wrote.
 */
function NumberInput({ value, tell, tellChange, ...attributes }) {
  const [isTyped, setTyped] = useState(false);
  const read = (event) => (Number.isFinite(event.currentTarget.valueAsNumber) ? event.currentTarget.valueAsNumber : null);
  return html`
    <input type="number" ...${attributes} value=${isTyped ? undefined : value} onInput=${(event) => { setTyped(true); tell(read(event)); }}
      onChange=${(event) => { setTyped(false); tellChange?.(read(event)); }} onBlur=${() => setTyped(false)} />`;
}

/** A number; `onInput` gets null where the text is none. */
export function NumberField({ value, onInput, step = "any", min, max, ...field }) {
  return html`<${Field} ...${field} control=${(names) => html`
    <${NumberInput} ...${names} inputmode="decimal" value=${value} step=${step} min=${min} max=${max} tell=${onInput} />`} />`;
}

/** A number to slide or to type. @param {Record<string, any>} properties `text` is what a screen reader says of it */
export function Knob({ value, onInput, onSet, step, min, max, text, marks = [], ...field }) {
  const [slid, set] = [onInput, onSet].map((tell) => (number) => number !== null && tell?.(number));
  return html`<${Field} ...${field} control=${(names) => html`
    <div class="knob">
      <div class="slide">
        <input ...${names} type="range" value=${value} step=${step} min=${min} max=${max}
          aria-valuetext=${text ?? null} onInput=${(event) => slid(event.currentTarget.valueAsNumber)} onChange=${(event) => set(event.currentTarget.valueAsNumber)} />
        ${marks.map((mark) => html`<span class="slide-mark" aria-hidden="true" style=${{ left: `${(100 * (mark - min)) / (max - min)}%` }} />`)}
      </div>
      <${NumberInput} aria-label="${field.label}, typed" value=${value} step=${step} tell=${slid} tellChange=${set} />
    </div>`} />`;
}

/** @param {Record<string, any>} properties `options` are `[value, label]` pairs */
export function SelectField({ value, onInput, options, ...field }) {
  return html`<${Field} ...${field} control=${(names) => html`
    <select ...${names} value=${value} onChange=${(event) => onInput(event.currentTarget.value)}>
      ${options.map(([key, label]) => html`<option key=${key} value=${key} selected=${key === value}>${label}</option>`)}
    </select>`} />`;
}

export function CheckField({ value, onInput, label, hint }) {
  const id = useName("field");
  return html`
    <div class="check">
      <input type="checkbox" id=${id} checked=${value} aria-describedby=${hint ? `${id}-hint` : null}
        onChange=${(event) => onInput(event.currentTarget.checked)} />
      <label for=${id}>${label}</label>
      ${hint && html`<p class="hint" id="${id}-hint">${hint}</p>`}
    </div>`;
}
