/** A drawing of a network: its layers as columns of units, or as blocks where they are many; weights as colour. */
import { html } from "../../lib/preact.js";
import { count, counted, figure } from "../../lib/format.js";

const MOST_UNITS = 12;
const HEIGHT = 260;
const STEP = 150;
/** Pixels of a column on a phone; more columns scroll. */
const NARROWEST = 95;
const CELLS = 16;

export function Network({ layers, parameters, signature }) {
  const columns = columnsOf(layers);
  const width = STEP * (columns.length - 1) + 140;
  const largest = largestOf(parameters);
  const hasLines = columns.slice(1).some(({ index }, before) => parameters?.[index]?.weight && isFew(columns[before], columns[before + 1]));
  const names = { 0: signature?.features.map(({ name }) => name), [columns.length - 1]: signature?.targets.map(({ name }) => name) };
  return html`
    <div class="network" tabindex="0" role="region" aria-label="Drawing of the network">
      <svg role="img" aria-label=${inWords(columns)} viewBox="0 0 ${width} ${HEIGHT + 62}" width=${width}
        style=${{ minWidth: `${NARROWEST * columns.length}px` }}>
        ${columns.slice(1).map((column, index) => html`<${Weights} key=${index} x=${STEP * index + 70} from=${columns[index]} to=${column}
          weight=${parameters?.[column.index]?.weight} largest=${largest} />`)}
        ${columns.map((column, index) => html`<${Column} key=${index} x=${STEP * index + 70} column=${column}
          count=${parameters && column.index !== null ? numbersIn(parameters[column.index]) : null} />`)}
      </svg>
    </div>
    ${parameters && html`<p class="quiet scale"><span class="swatch negative" aria-hidden="true"></span>below 0${hasLines ? ", lines dashed" : ""}; <span class="swatch positive" aria-hidden="true"></span>above 0;
      the stronger the colour, the further from 0. The largest is ${figure(largest, 3)}.</p>`}
    ${signature && html`<p class="quiet">In: ${listed(names[0])}. Out: ${listed(names[columns.length - 1])}.</p>`}`;
}

/** Whether the weights between two columns are lines. */
const isFew = (from, to) => from.width <= MOST_UNITS && to.width <= MOST_UNITS;

const listed = (names) => (names.length > 8 ? `${names.slice(0, 8).join(", ")} and ${names.length - 8} more` : names.join(", "));

/** Columns from the inputs on: widths where a layer has one; what has none keeps that of the layer before. */
function columnsOf(layers) {
  const first = layers.find((layer) => layer.in !== undefined)?.in ?? 1;
  const columns = [{ width: first, title: "inputs", activation: "", index: null }];
  layers.forEach((layer, index) => {
    const isDense = layer.type === "Dense";
    const activation = typeof layer.activation === "string" ? layer.activation : layer.activation?.name ?? (layer.activation ? "written" : "");
    columns.push({ width: layer.out ?? columns.at(-1).width, title: isDense ? "Dense" : layer.type ?? layer.name ?? "layer", activation: isDense ? activation : "", index });
  });
  return columns;
}

function inWords(columns) {
  return columns.map(({ title, width, activation }, index) => (index ? `${title} with ${counted(width, "unit")}${activation && activation !== "identity" ? `, ${activation}` : ""}` : counted(width, "input"))).join("; ");
}

const placesOf = (units) => Array.from({ length: units }, (_, unit) => (HEIGHT * (unit + 0.5)) / units);

function Column({ x, column, count: parameters }) {
  const { width, title, activation } = column;
  const label = activation && activation !== "identity" ? `${title}, ${activation}` : title;
  return html`
    <g class="layer">
      ${width <= MOST_UNITS
        ? placesOf(width).map((y) => html`<circle key=${y} cx=${x} cy=${y} r=${Math.min(11, HEIGHT / width / 2.6)} />`)
        : html`<rect x=${x - 14} y="6" width="28" height=${HEIGHT - 12} rx="6" />`}
      <text x=${x} y=${HEIGHT + 18}>${label}</text>
      <text x=${x} y=${HEIGHT + 36} class="quiet">${counted(width, "unit")}</text>
      ${parameters !== null && html`<text x=${x} y=${HEIGHT + 54} class="quiet">${count(parameters)} ${parameters === 1 ? "parameter" : "parameters"}</text>`}
    </g>`;
}

function Weights({ x, from, to, weight, largest }) {
  if (!weight) return html`<line class="flow" x1=${x + 18} x2=${x + STEP - 18} y1=${HEIGHT / 2} y2=${HEIGHT / 2} />`;
  if (!isFew(from, to)) return html`<${HeatMap} x=${x} weight=${weight} largest=${largest} />`;
  const [starts, ends] = [placesOf(from.width), placesOf(to.width)];
  return ends.flatMap((end, row) => starts.map((start, column) => html`
    <line key=${`${row} ${column}`} class=${signOf(weight[row][column])} x1=${x} y1=${start} x2=${x + STEP} y2=${end}
      stroke-width=${0.6 + 3 * shareOf(weight[row][column], largest)} stroke-opacity=${0.15 + 0.85 * shareOf(weight[row][column], largest)} />`));
}

/** Many weights as squares: a row for each unit, or the mean of several. */
function HeatMap({ x, weight, largest }) {
  const [rows, columns] = [Math.min(CELLS, weight.length), Math.min(CELLS, weight[0].length)];
  const [size, left] = [Math.min(90 / columns, (HEIGHT - 20) / rows, 14), x + STEP / 2];
  const cells = [];
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const value = meanOf(weight, row / rows, (row + 1) / rows, column / columns, (column + 1) / columns);
      cells.push(html`<rect key=${`${row} ${column}`} class=${signOf(value)} x=${left + (column - columns / 2) * size} y=${HEIGHT / 2 + (row - rows / 2) * size}
        width=${size} height=${size} fill-opacity=${shareOf(value, largest)} />`);
    }
  }
  const frame = html`<rect class="heat-frame" x=${left - (columns / 2) * size} y=${HEIGHT / 2 - (rows / 2) * size} width=${columns * size} height=${rows * size} />`;
  return html`<g class="heat">${frame}${cells}</g>`;
}

function meanOf(weight, top, bottom, left, right) {
  const rows = weight.slice(Math.floor(top * weight.length), Math.max(Math.floor(top * weight.length) + 1, Math.floor(bottom * weight.length)));
  let [sum, number] = [0, 0];
  for (const row of rows) {
    const begin = Math.floor(left * row.length);
    for (const value of row.slice(begin, Math.max(begin + 1, Math.floor(right * row.length)))) { sum += value; number += 1; }
  }
  return sum / number;
}

const signOf = (value) => (value < 0 ? "negative" : "positive");
const shareOf = (value, largest) => (largest ? Math.min(1, Math.abs(value) / largest) : 0);

function largestOf(parameters) {
  let largest = 0;
  for (const layer of parameters ?? []) {
    for (const row of layer.weight ?? []) for (const value of row) largest = Math.max(largest, Math.abs(value));
  }
  return largest;
}

function numbersIn(value) {
  if (typeof value === "number") return 1;
  return value && typeof value === "object" ? Object.values(value).reduce((sum, each) => sum + numbersIn(each), 0) : 0;
}
