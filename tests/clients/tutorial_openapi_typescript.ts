// The Flux tutorial by openapi-fetch, with the types that openapi-typescript makes.
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

declare const process: { argv: string[]; stdout: { write(text: string): void } };

const client = createClient<paths, "application/json">({ baseUrl: process.argv[2]! });
const test = [6, 7, 8, 9, 10];
const xs = [0, 1, 2, 3, 4, 5, ...test];

function found<Data>(answer: { data?: Data; error?: unknown }): Data {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

const dataset = found(
  await client.POST("/api/datasets", {
    body: { columns: { x: xs, y: xs.map((x) => 4 * x + 2) }, targets: ["y"], split: { test: { last: test.length } } },
  }),
);
if (!("id" in dataset)) throw new Error("a preview, and no dataset");
const model = found(
  await client.POST("/api/models", {
    body: { architecture: "Dense(1 => 1)", parameters: [{ weight: [[0.9066542]], bias: [0] }] },
  }),
);
const params = { path: { model: model.id } };
const rows = { inputs: test.map((x) => [x]) };
const untrained = found(await client.POST("/api/models/{model}/predictions", { params, body: rows }));
const created = found(
  await client.POST("/api/jobs", {
    params: { header: { prefer: "wait=60" } },
    body: { model: model.id, dataset: dataset.id, epochs: 201, optimiser: { rule: "Descent", eta: 0.1 } },
  }),
);
if (!("id" in created)) throw new Error("a plan, and no job");
const header = { prefer: "wait=60" };
const job = found(await client.GET("/api/jobs/{job}", { params: { path: { job: created.id }, header } }));
const reports = found(
  await client.GET("/api/jobs/{job}/epochs", { params: { path: { job: job.id }, query: { limit: 1000 } } }),
).items;
const layer = found(await client.GET("/api/models/{model}/parameters", { params })).layers[0]!;
const trained = found(await client.POST("/api/models/{model}/predictions", { params, body: rows }));
const evaluation = found(
  await client.POST("/api/models/{model}/evaluations", { params, body: { dataset: dataset.id } }),
);
const { optimiser } = job.recipe;
const { mse } = evaluation.metrics as { mse: number };
process.stdout.write(
  JSON.stringify({
    state: job.state,
    rule: typeof optimiser === "object" ? optimiser.rule : optimiser,
    losses: [0, 1, 201].map((epoch) => reports[epoch]!.train_loss),
    untrained: untrained.outputs.map((row) => row[0]),
    weight: (layer["weight"] as number[][])[0]![0],
    bias: (layer["bias"] as number[])[0],
    predictions: trained.outputs.map((row) => row[0]),
    mse,
  }),
);
