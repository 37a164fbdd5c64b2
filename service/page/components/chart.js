/** A chart: uPlot's canvas with a name, a legend, values read by arrow keys, and its numbers as a hidden table. */
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../lib/preact.js";
import { useName } from "../lib/hooks.js";
import { optionsOf } from "./chart_options.js";
import { ChartTable, said, stepOf } from "./chart_reading.js";

/**
 * @typedef {object} Series
 * @property {string} label
 * @property {"line"|"points"|"bars"|"dashed"} [kind]
 * @property {number} [colour] 1 to 6, as the style sheet has them
 * @property {boolean} [quiet] not read out and not in the table: a curve drawn through more places than there are data
 */
/**
 * @typedef {object} ChartProperties
 * @property {string} name what the chart shows, for those who do not see it
 * @property {(number|null)[][]} data the places along x, in order, then the values of each series
 * @property {Series[]} series
 * @property {string} xLabel
 * @property {string} [yLabel]
 * @property {boolean} [log] whether y has a log axis; values that are not above 0 are left out
 * @property {[number, number]} [xRange]
 * @property {[number, number]} [yRange]
 * @property {{x: number, label: string}[]} [marks] vertical lines
 * @property {number} [height]
 * @property {(x: number) => void} [onPick] a place was chosen by a click or Enter
 */

const script = document.querySelector("#uplot");
const DARK = matchMedia("(prefers-color-scheme: dark)");

/** @param {ChartProperties} properties */
export function Chart(properties) {
  const { name, data, series, xLabel, log = false, marks = [], height = 260, onPick } = properties;
  const holder = useRef(null);
  const plot = useRef(null);
  const latest = useRef(properties);
  latest.current = properties;
  const [at, setAt] = useState(/** @type {number | null} */ (null));
  const pointed = useRef(null);
  const [dark, setDark] = useState(DARK.matches);
  const hint = useName("chart");
  const shown = useMemo(() => (log ? withoutWhatLogsLack(data) : data), [data, log]);

  useEffect(() => {
    const look = () => setDark(DARK.matches);
    DARK.addEventListener("change", look);
    return () => DARK.removeEventListener("change", look);
  }, []);
  const uplot = useUPlot();
  const shape = JSON.stringify([series, xLabel, properties.yLabel, log, properties.xRange, properties.yRange, height, dark]);
  useLayoutEffect(() => {
    if (uplot !== "here") return undefined;
    const width = () => Math.max(200, holder.current.clientWidth);
    // The pointer's reading is written past Preact: it changes with every pixel.
    const point = ({ cursor: { idx, top }, data: drawn }) => {
      pointed.current.textContent = typeof idx === "number" && top >= 0 ? said(drawn, series, xLabel, idx) : "";
    };
    const made = new uPlot(optionsOf(latest, width(), height, point), shown, holder.current);
    plot.current = made;
    const watcher = new ResizeObserver(() => {
      if (Math.abs(made.width - width()) > 1) made.setSize({ width: width(), height });
    });
    watcher.observe(holder.current);
    return () => { watcher.disconnect(); made.destroy(); plot.current = null; };
  }, [shape, uplot]);
  useLayoutEffect(() => {
    plot.current?.setData(shown);
  }, [data, log, shape, uplot]);
  useLayoutEffect(() => { plot.current?.redraw(false, false); }, [JSON.stringify(marks)]);
  useLayoutEffect(() => {
    if (at === null || !plot.current || shown[0][at] === undefined) return;
    plot.current.setCursor({ left: plot.current.valToPos(shown[0][at], "x"), top: -10 });
  }, [at, data]);

  const press = (event) => {
    if (event.key === "Enter" && at !== null && onPick) onPick(shown[0][at]);
    const next = stepOf(event.key, at, shown[0].length);
    if (next === null) return;
    event.preventDefault();
    setAt(next);
  };
  const click = () => {
    const index = plot.current?.cursor.idx;
    if (onPick && typeof index === "number") onPick(shown[0][index]);
  };
  return html`
    <figure class="chart">
      ${series.length > 1 && html`<${Legend} series=${series} />`}
      <div class="plot" ref=${holder} tabindex="0" role="application" aria-roledescription="chart" aria-label=${name}
        aria-describedby=${hint} onKeyDown=${press} onClick=${onPick ? click : null} style=${{ minHeight: `${height}px` }}>
        ${uplot === "failed" && html`<p role="status">This chart is not drawn, as a script did not load: load the page again.</p>`}</div>
      <p class="visually-hidden" id=${hint}>Left and right arrow keys read the values.</p>
      <p class="reading"><span aria-hidden="true" ref=${pointed}></span><span aria-live="polite">${at === null || shown[0][at] === undefined ? "" : said(shown, series, xLabel, at)}</span></p>
      <${ChartTable} name=${name} data=${shown} series=${series} xLabel=${xLabel} />
    </figure>`;
}

/** Return the state of uPlot, and draw again when it changes: the page does not wait for it. */
function useUPlot() {
  const [state, setState] = useState(stateOfUPlot);
  useLayoutEffect(() => {
    const settle = () => setState("uPlot" in globalThis ? "here" : "failed");
    setState(stateOfUPlot());
    script.addEventListener("load", settle);
    script.addEventListener("error", settle);
    return () => { script.removeEventListener("load", settle); script.removeEventListener("error", settle); };
  }, []);
  return state;
}

/** A document is complete once its scripts have come, or have not. */
function stateOfUPlot() {
  if ("uPlot" in globalThis) return "here";
  return document.readyState === "complete" ? "failed" : "awaited";
}

function Legend({ series }) {
  return html`
    <ul class="legend" aria-hidden="true">
      ${series.map((each, index) => html`<li key=${each.label} class="colour-${each.colour ?? index + 1} ${each.kind ?? "line"}">${each.label}</li>`)}
    </ul>`;
}

/** @param {(number|null)[][]} data */
function withoutWhatLogsLack(data) {
  const [xs, ...rest] = data;
  return [xs, ...rest.map((values) => values.map((value) => (value !== null && value > 0 ? value : null)))];
}

