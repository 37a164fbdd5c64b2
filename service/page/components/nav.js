/** The navigation above every view. */
import { html } from "../lib/preact.js";
import { linkTo } from "../lib/router.js";
import { SignOut } from "./sign_out.js";

export function Nav({ views, present }) {
  const shown = Object.entries(views).filter(([, view]) => view.inNav);
  return html`
    <a class="skip" href="#main" onClick=${skip}>Skip to the content</a>
    <header class="top">
      <a class="brand" href="#/"><span aria-hidden="true" class="brand-mark"></span>Descent</a>
      <nav aria-label="Views">
        <ul>
          ${shown.map(([name, view]) => html`
            <li key=${name}><a href=${linkTo([name])} aria-current=${name === present ? "page" : null}>${view.inNav}</a></li>`)}
          <li><a href="/docs">API</a></li>
        </ul>
      </nav>
      <${SignOut} />
    </header>`;
}

function skip(event) {
  event.preventDefault(); // the address holds the view, not a place in it
  const heading = document.querySelector("main h1");
  if (heading instanceof HTMLElement) heading.focus();
}
