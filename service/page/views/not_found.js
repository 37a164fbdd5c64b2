/** The view of an address that leads nowhere. */
import { html } from "../lib/preact.js";

export default function NotFound({ route }) {
  return html`
    <h1 tabindex="-1">There is no such view</h1>
    <p>The page has no view called “${route.path[0]}”. <a href="#/">Go to the first one</a>.</p>`;
}
