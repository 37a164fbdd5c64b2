/** The guide, which the service holds itself: its pages, each with its sections. */
import { html, useEffect } from "../../lib/preact.js";
import { styled } from "../../lib/style.js";
import { send } from "../../lib/api.js";
import { useLoaded } from "../../lib/hooks.js";
import { linkTo, route as present } from "../../lib/router.js";
import { ErrorNotice } from "../../components/notice.js";
import { Table } from "../../components/table.js";
import { blocksOf, piecesOf } from "./markdown.js";

await styled("guide.css");

const PAGES = { data: "From a file to answers", learning: "Learning well", "write-your-own": "Write your own", operating: "Operating Descent" };

export default function Guide({ route }) {
  const name = Object.hasOwn(PAGES, route.path[1] ?? "") ? route.path[1] : "data";
  const address = new URL(`../../guide/${name}.md`, import.meta.url).pathname;
  const loaded = useLoaded((signal) => read(address, signal), [name]);
  const blocks = loaded.value?.name === address ? loaded.value.blocks : [];
  const at = route.query.get("at");
  useEffect(() => {
    if (at && blocks.length) document.getElementById(at)?.focus();
  }, [at, blocks]);
  const sections = blocks.filter((block) => block.kind === "heading" && block.level === 2);
  return html`
    <h1 tabindex="-1">${PAGES[name]}</h1>
    <nav class="choices" aria-label="Pages of the guide">
      ${Object.entries(PAGES).map(([each, title]) => html`<a class="button small" key=${each} href=${linkTo(["guide", each])} aria-current=${each === name ? "page" : null}>${title}</a>`)}
    </nav>
    <${ErrorNotice} error=${loaded.error} />
    ${sections.length > 0 && html`
      <nav aria-label="Sections"><ul class="sections">
        ${sections.map(({ id, text }) => html`<li key=${id}><a href=${linkTo(["guide", name], { at: id })}>${text}</a></li>`)}
      </ul></nav>`}
    <article class="card guide">${blocks.map((block, index) => html`<${Block} key=${index} block=${block} />`)}</article>
    <p class="quiet">All requests by their fields: <a href="/docs">the API</a>. <a href=${address} download>This page as Markdown</a>.</p>`;
}

async function read(address, signal) {
  const text = await send({ path: address }, signal);
  // Programs to copy ask the service that is here.
  return { name: address, blocks: blocksOf(text.replaceAll(/(http:\/\/)?127\.0\.0\.1:8000/g, location.origin)) };
}

function Block({ block }) {
  switch (block.kind) {
    case "heading":
      if (block.level === 1) return null; // it stands above
      return html`<${block.level === 2 ? "h2" : "h3"} id=${block.id} tabindex="-1">${inline(block.text)}</>`;
    case "code":
      return html`<pre tabindex="0"><code>${block.text}</code></pre>`;
    case "list":
      return html`<ul>${block.items.map((item) => html`<li>${inline(item)}</li>`)}</ul>`;
    case "table":
      return html`<${Table} caption=${block.head.join(", ")} hidesCaption rows=${block.rows}
        columns=${block.head.map((head, column) => ({ label: head ? inline(head) : html`<span class="visually-hidden">Row</span>`, heads: column === 0, value: (row) => inline(row[column] ?? "") }))} />`;
    default:
      return html`<p>${inline(block.text)}</p>`;
  }
}

function inline(text) {
  return piecesOf(text).map((piece) => {
    if (piece.kind === "code") return html`<code>${piece.text}</code>`;
    if (piece.kind === "strong") return html`<strong>${piece.text}</strong>`;
    return piece.kind === "link" ? link(piece) : piece.text;
  });
}

/**
 * Links lead to sections and other pages of the guide and to the web; files of the repository are only named here.
 * @param {{text: string, to?: string}} piece
 */
function link({ text, to = "" }) {
  const [, page, section] = /^(?:([\w-]+)\.md)?(?:#(.+))?$/.exec(to) ?? [];
  if (page && Object.hasOwn(PAGES, page)) return html`<a href=${linkTo(["guide", page], { at: section })}>${PAGES[page]}</a>`;
  if (section && !page) return html`<a href=${linkTo(["guide", present.value.path[1] ?? "data"], { at: section })}>${text}</a>`;
  return /^https?:/.test(to) ? html`<a href=${to}>${text}</a>` : text;
}
