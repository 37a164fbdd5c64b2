/** One figure of several trainings on one chart, by epoch. */
import { html, useMemo } from "../../lib/preact.js";
import { Chart } from "../../components/chart.js";

/** @param {{ids: string[], reports: Record<string, any[]>, field: string, label: string, nameOf: (id: string) => string}} properties */
export function Together({ ids, reports, field, label, nameOf }) {
  const data = useMemo(() => joined(ids.map((id) => reports[id] ?? []), field), [reports, field, ids.join()]);
  const series = ids.map((id, index) => ({ label: nameOf(id), colour: index + 1 }));
  return html`<${Chart} name="${label} of ${ids.length} trainings by epoch" data=${data} series=${series} xLabel="epoch" yLabel=${label} log height=${340} />`;
}

/** One axis of epochs for all, with gaps where a training has no report. */
function joined(all, name) {
  const epochs = [...new Set(all.flatMap((reports) => reports.map(({ epoch }) => epoch)))].sort((a, b) => a - b);
  const places = new Map(epochs.map((epoch, index) => [epoch, index]));
  const columns = all.map((reports) => {
    const column = new Array(epochs.length).fill(null);
    for (const report of reports) column[places.get(report.epoch)] = report[name];
    return column;
  });
  return [epochs, ...columns];
}
