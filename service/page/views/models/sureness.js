/** Whether a version is as sure as it should be: the share of right answers beside what it promised. */
import { html, useMemo } from "../../lib/preact.js";
import { figure } from "../../lib/format.js";
import { Chart } from "../../components/chart.js";

const SERIES = [{ label: "what came true", colour: 1 }, { label: "as promised", kind: "dashed", colour: 6, quiet: true }];

/** @param {{evaluation: any}} properties an evaluation of one target, or of several by their names */
export function Sureness({ evaluation: { coverage, calibration_error: error, reliability } }) {
  if (!reliability) return null;
  const groups = Array.isArray(reliability) ? [["", reliability, coverage, error]] : Object.entries(reliability).map(([name, steps]) => [name, steps, coverage?.[name], error?.[name]]);
  return groups.filter(([, steps]) => steps?.length > 0).map(([name, steps, covered, off]) => html`
    <h3>As sure as it should be?${name && ` ${name}`}</h3>
    <p>${typeof off === "number" ? `What it promises is off by ${figure(100 * off, 3)} percentage points in the mean.` : ""}
      ${typeof covered === "number" ? ` With 90 % promised, ${figure(100 * covered, 3)} % of the true values are inside.` : ""}</p>
    <${Curve} name=${name} steps=${steps} />`);
}

function Curve({ name, steps }) {
  const data = useMemo(() => {
    const sorted = [...steps].sort((a, b) => a.expected - b.expected);
    const expected = sorted.map((step) => step.expected);
    return [expected, sorted.map((step) => step.observed), expected];
  }, [steps]);
  return html`<${Chart} name="Reliability${name && ` of ${name}`}: the share that came true by the chance that was promised" data=${data} series=${SERIES} xLabel="promised" yLabel="came true" height=${240} />`;
}
