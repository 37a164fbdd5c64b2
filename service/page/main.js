/** The page: navigation, the view that the address names, and what is shown where that fails. */
import { html, render, useEffect, useErrorBoundary, useLayoutEffect, useRef, useState } from "./lib/preact.js";
import { useSignals } from "./lib/hooks.js";
import { keyIsNeeded } from "./lib/session.js";
import { route } from "./lib/router.js";
import { Nav } from "./components/nav.js";
import { ErrorNotice, Notice } from "./components/notice.js";
import { SIGN_IN, VIEWS, viewOf } from "./views/index.js";

function Page() {
  const present = useSignals(() => route.value);
  const locked = useSignals(() => keyIsNeeded.value);
  const { name, view } = locked ? SIGN_IN : viewOf(present);
  const [loaded, setLoaded] = useState({ view: null, Component: null, error: null });
  const [failure, forget] = useErrorBoundary();
  const main = useRef(null);
  const isFirst = useRef(true);
  useLayoutEffect(() => {
    forget();
    let isWanted = true; // a slow view is not to take the place of one that was asked for later
    const show = (more) => { if (isWanted) setLoaded({ view, Component: null, error: null, ...more }); };
    view.load().then((module) => show({ Component: module.default }), (error) => show({ error }));
    return () => { isWanted = false; };
  }, [view]);
  useEffect(() => {
    if (loaded.view !== view) return;
    document.title = `${view.title} – Descent`;
    // A reader of another view begins at its heading; the first view is where the browser begins by itself.
    if (!isFirst.current) main.current.querySelector("h1")?.focus();
    isFirst.current = false;
  }, [loaded]);
  return html`
    <${Nav} views=${VIEWS} present=${view.under ?? name} />
    <main ref=${main} id="main">
      ${failure && html`<${ErrorNotice} error=${failure} />`}
      ${loaded.error && html`<${Notice} kind="error" title="This view could not be loaded">
        The service may have been updated meanwhile. <a href=${location.href} onClick=${reload}>Load the page again</a>.
      </${Notice}>`}
      ${!failure && loaded.view === view && loaded.Component && html`<${loaded.Component} route=${present} />`}
    </main>`;
}

function reload(event) {
  event.preventDefault();
  location.reload();
}

render(html`<${Page} />`, document.getElementById("page"));
