/** The logger to MLflow: against a strict stand-in of its server, and where there is one against the real one. */
import { spawn } from "node:child_process";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MlflowLogger, type MlflowOptions } from "../../src/train/logging/mlflow.ts";
import { temporaryFolder } from "../data/temp.ts";
import { findPython, runPython } from "../support/python.ts";
import { endedAt, evaluationAt, started, stepAt } from "./logging-events.ts";

const { folder } = temporaryFolder();

interface Metric {
  readonly key: string;
  readonly value: number | string;
  readonly timestamp: number;
  readonly step: number;
}

/** Does what the documentation of MLflow's REST API says, and refuses whatever it does not say. */
class StandIn {
  readonly experiments = new Map<string, string>();
  readonly runs = new Map<
    string,
    {
      name: string;
      status: string;
      metrics: Metric[];
      params: Map<string, string>;
      tags: Map<string, string>;
      ended: number | null;
    }
  >();
  readonly authorizations = new Set<string | undefined>();
  readonly batches: number[] = [];
  /** Answers of trouble yet to be given. */
  failures: number[] = [];
  readonly server = createServer((request, response) => {
    void this.#answer(request).then(([status, body]) => {
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(JSON.stringify(body));
    });
  });

  async #answer(request: IncomingMessage): Promise<[number, unknown]> {
    this.authorizations.add(request.headers.authorization);
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const failure = this.failures.shift();
    if (failure !== undefined) return [failure, "trouble"];
    const url = new URL(request.url!, "http://x");
    const query = Object.fromEntries(url.searchParams);
    const isGet = request.method === "GET";
    const body = (isGet ? query : JSON.parse(Buffer.concat(chunks).toString())) as Record<
      string,
      unknown
    >;
    const refused = (code: string, message: string): [number, unknown] => [
      code === "RESOURCE_DOES_NOT_EXIST" ? 404 : 400,
      { error_code: code, message },
    ];
    const only = (...allowed: string[]) => {
      const extra = Object.keys(body).filter((key) => !allowed.includes(key));
      if (extra.length > 0) throw new Error(`unknown fields ${extra.join()}`);
    };
    try {
      const run = this.runs.get(String(body["run_id"]));
      switch (`${request.method} ${url.pathname.replace("/api/2.0/mlflow/", "")}`) {
        case "GET experiments/get-by-name": {
          only("experiment_name");
          const id = this.experiments.get(String(body["experiment_name"]));
          if (id === undefined) return refused("RESOURCE_DOES_NOT_EXIST", "no such experiment");
          return [200, { experiment: { experiment_id: id } }];
        }
        case "POST experiments/create": {
          only("name");
          const id = String(this.experiments.size + 1);
          this.experiments.set(body["name"] as string, id);
          return [200, { experiment_id: id }];
        }
        case "POST runs/create": {
          only("experiment_id", "start_time", "run_name");
          if (![...this.experiments.values()].includes(body["experiment_id"] as string))
            return refused("RESOURCE_DOES_NOT_EXIST", "no such experiment");
          const id = `run${this.runs.size + 1}`;
          this.runs.set(id, {
            name: body["run_name"] as string,
            status: "RUNNING",
            metrics: [],
            params: new Map(),
            tags: new Map(),
            ended: null,
          });
          return [200, { run: { info: { run_id: id } } }];
        }
        case "GET runs/get": {
          only("run_id");
          if (!run) return refused("RESOURCE_DOES_NOT_EXIST", "no such run");
          const last = new Map(run.metrics.map((metric) => [metric.key, metric]));
          return [200, { run: { data: { metrics: [...last.values()] } } }];
        }
        case "POST runs/log-batch": {
          only("run_id", "metrics", "params", "tags");
          if (!run) return refused("RESOURCE_DOES_NOT_EXIST", "no such run");
          const {
            metrics = [],
            params = [],
            tags = [],
          } = body as unknown as {
            metrics?: Metric[];
            params?: { key: string; value: string }[];
            tags?: { key: string; value: string }[];
          };
          if (metrics.length > 1000 || params.length > 100 || tags.length > 100)
            return refused("INVALID_PARAMETER_VALUE", "too many");
          for (const { key, value, timestamp, step } of metrics) {
            const isValue =
              typeof value === "number" || ["NaN", "Infinity", "-Infinity"].includes(value);
            if (
              !/^[\w\-. /:\p{L}]{1,250}$/u.test(key) ||
              !isValue ||
              !Number.isInteger(timestamp) ||
              !Number.isInteger(step)
            )
              return refused("INVALID_PARAMETER_VALUE", `bad metric ${key}`);
          }
          for (const { key, value } of params) {
            if (typeof value !== "string" || value.length > 6000)
              return refused("INVALID_PARAMETER_VALUE", key);
            run.params.set(key, value);
          }
          for (const { key, value } of tags) run.tags.set(key, value);
          this.batches.push(metrics.length);
          run.metrics.push(...metrics);
          return [200, {}];
        }
        case "POST runs/update": {
          only("run_id", "status", "end_time");
          if (!run) return refused("RESOURCE_DOES_NOT_EXIST", "no such run");
          if (!["RUNNING", "FINISHED", "FAILED", "KILLED"].includes(body["status"] as string))
            return refused("INVALID_PARAMETER_VALUE", "status");
          run.status = body["status"] as string;
          run.ended = (body["end_time"] as number | undefined) ?? null;
          return [200, { run_info: {} }];
        }
        default:
          return refused("ENDPOINT_NOT_FOUND", url.pathname);
      }
    } catch (error) {
      return refused("INVALID_PARAMETER_VALUE", String(error));
    }
  }
}

describe("a strict stand-in", () => {
  const standIn = new StandIn();
  let trackingUri = "";
  beforeAll(async () => {
    await new Promise<void>((resolve) => standIn.server.listen(0, "127.0.0.1", resolve));
    trackingUri = `http://127.0.0.1:${(standIn.server.address() as AddressInfo).port}/`;
  });
  afterAll(() => void standIn.server.close());

  const logger = (options: Partial<MlflowOptions> = {}) => {
    const warnings: string[] = [];
    const onWarning = (message: string) => void warnings.push(message);
    const made = new MlflowLogger({ trackingUri, onWarning, ...options });
    return { logger: made, warnings };
  };

  test("gets experiment, run, params, tags, metrics and status", async () => {
    const params = {
      lr: 0.5,
      name: "x",
      deep: { a: [1] },
      long: "y".repeat(9000),
      none: undefined,
    };
    const { logger: mlflow, warnings } = logger({
      ...{ experiment: "resumes", runName: "first", params, tags: { team: "a" }, token: "secret" },
    });
    mlflow.onEvent(started(0));
    for (let step = 1; step <= 1500; step++) mlflow.onEvent(stepAt(step, 1 / step));
    mlflow.onEvent(evaluationAt(1500, { "f1 (micro)": 0.5, loss: NaN }));
    mlflow.onEvent(endedAt(1500));
    await mlflow.close();
    expect(warnings).toEqual([]);
    const run = standIn.runs.get(mlflow.runId!)!;
    expect([run.name, run.status, run.ended! > 0]).toEqual(["first", "FINISHED", true]);
    expect(Object.fromEntries(run.params)).toEqual({
      ...{ lr: "0.5", name: "x", deep: '{"a":[1]}', long: "y".repeat(6000), none: "undefined" },
    });
    expect([...run.tags]).toEqual([["team", "a"]]);
    const losses = run.metrics.filter(({ key }) => key === "train/loss");
    expect(losses.map(({ step, value }) => [step, value])).toEqual(
      Array.from({ length: 1500 }, (_, i) => [i + 1, 1 / (i + 1)]),
    );
    const evaluations = run.metrics.filter(({ key }) => key.startsWith("eval"));
    expect(evaluations.map(({ key, value }) => [key, value])).toEqual([
      ["eval/f1 _micro_", 0.5],
      ["eval/loss", "NaN"],
    ]);
    expect(Math.max(...standIn.batches)).toBe(1000);
    expect([...standIn.authorizations]).toEqual(["Bearer secret"]);
  });

  test("of a run that goes on gets only what it does not have", async () => {
    const { logger: first } = logger({ username: "ü", password: "p" });
    first.onEvent(started(0));
    for (let step = 1; step <= 7; step++) first.onEvent(stepAt(step, step));
    first.onEvent(endedAt(7, { reason: "aborted" }));
    await first.close();
    const run = standIn.runs.get(first.runId!)!;
    expect(run.status).toBe("KILLED");
    expect(standIn.authorizations).toContain(`Basic ${Buffer.from("ü:p").toString("base64")}`);
    const { logger: second } = logger({ runId: first.runId! });
    second.onEvent(started(5));
    for (let step = 6; step <= 9; step++) second.onEvent(stepAt(step, step));
    await second.close();
    const losses = run.metrics.filter(({ key }) => key === "train/loss");
    expect(losses.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(run.status).toBe("FAILED");
  });

  test("goes on in the run that a file names, where training goes on", async () => {
    const runFile = join(folder, "mlflow.json");
    const ids: (string | null)[] = [];
    for (const step of [0, 5, 0]) {
      const { logger: mlflow, warnings } = logger({ runFile });
      mlflow.onEvent(started(step));
      mlflow.onEvent(stepAt(step + 1, 1));
      mlflow.onEvent(endedAt(step + 1));
      await mlflow.close();
      ids.push(mlflow.runId);
      expect(warnings).toEqual([]);
    }
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
    const losses = standIn.runs.get(ids[0]!)!.metrics.filter(({ key }) => key === "train/loss");
    expect(losses.map(({ step }) => step)).toEqual([1, 6]);
  });

  test("loses nothing where it fails for a while", async () => {
    standIn.failures = [503, 429];
    const { logger: mlflow, warnings } = logger();
    mlflow.log(1, { a: 1 });
    await mlflow.close();
    expect(standIn.runs.get(mlflow.runId!)!.metrics).toHaveLength(1);
    expect(warnings).toEqual([]);
  });

  test("is warned about once where it stays away, and training goes on", async () => {
    const { logger: mlflow, warnings } = logger({
      trackingUri: "http://127.0.0.1:9",
      ...{ retries: 0, flushSeconds: 0.01, maxQueued: 10, closeSeconds: 1 },
    });
    for (let step = 1; step <= 30; step++) {
      mlflow.log(step, { a: step });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await mlflow.close();
    expect(warnings).toEqual([
      expect.stringMatching(
        /^MLflow: http:\/\/127\.0\.0\.1:9 cannot be reached \(.+\); training goes on/,
      ),
      "MLflow: 30 numbers have not been sent",
    ]);
  });

  test("does not hold up the end of a run", async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const port = (silent.address() as AddressInfo).port;
    const { logger: mlflow, warnings } = logger({
      ...{ trackingUri: `http://127.0.0.1:${port}`, closeSeconds: 0.2 },
    });
    mlflow.log(1, { a: 1 });
    const before = performance.now();
    await mlflow.close();
    expect(performance.now() - before).toBeLessThan(10_000);
    expect(warnings.at(-1)).toBe("MLflow: 1 numbers have not been sent");
    silent.closeAllConnections();
    silent.close();
  });

  test("refusals are told at once and not repeated", async () => {
    const { logger: mlflow, warnings } = logger({ runId: "unknown" });
    mlflow.log(1, { a: 1 });
    await mlflow.close();
    expect(warnings).toEqual([
      "MLflow: /api/2.0/mlflow/runs/get: 404 Not Found: no such run; nothing is sent",
      "MLflow: 1 numbers have not been sent",
    ]);
    expect(() => logger({ trackingUri: "sqlite:///x" })).toThrow(
      "trackingUri must begin with http",
    );
  });
});

const python = findPython(["mlflow"]);

describe.skipIf(python === null)(
  "the real server (skipped where LEARNING_LOOP_PYTHON has no mlflow)",
  () => {
    test("has our numbers, by its own client", { timeout: 240_000 }, async () => {
      const port = 20_000 + (process.pid % 20_000);
      const database = `sqlite:///${join(folder, "mlflow.db")}`;
      const server = spawn(
        python!,
        [
          "-m",
          "mlflow",
          "server",
          "--backend-store-uri",
          database,
          "--port",
          String(port),
          "--workers",
          "1",
        ],
        { cwd: folder, stdio: "ignore", detached: true },
      );
      const trackingUri = `http://127.0.0.1:${port}`;
      try {
        const isUp = () =>
          fetch(`${trackingUri}/health`).then(
            ({ ok }) => ok,
            () => false,
          );
        await expect.poll(isUp, { timeout: 120_000, interval: 500 }).toBe(true);
        const warnings: string[] = [];
        const options = {
          ...{ trackingUri, experiment: "größe", onWarning: (m: string) => void warnings.push(m) },
          closeSeconds: 120,
        };
        const first = new MlflowLogger({
          ...options,
          runName: "r",
          params: { lr: 0.1 },
          tags: { a: "b" },
        });
        first.onEvent(started(0));
        for (let step = 1; step <= 1200; step++) first.onEvent(stepAt(step, 1 / step));
        first.onEvent(evaluationAt(1200, { f1: 0.75, bad: NaN, "größe (%)": 1 }));
        await first.close();
        const second = new MlflowLogger({ ...options, runId: first.runId! });
        second.onEvent(started(1100));
        for (let step = 1101; step <= 1210; step++) second.onEvent(stepAt(step, 1 / step));
        second.onEvent(endedAt(1210));
        await second.close();
        expect(warnings).toEqual([]);
        const script = `
import json, mlflow
client = mlflow.MlflowClient(${JSON.stringify(trackingUri)})
run = client.get_run(${JSON.stringify(first.runId)})
history = {k: [[m.step, m.value] for m in client.get_metric_history(run.info.run_id, k)] for k in run.data.metrics}
experiment = client.get_experiment(run.info.experiment_id).name
print(json.dumps([experiment, run.info.run_name, run.info.status, run.data.params, run.data.tags["a"], history]))`;
        const text = runPython(python!, script).replaceAll("NaN", '"NaN"');
        const [experiment, name, status, params, tag, history] = JSON.parse(text) as [
          ...[string, string, string, Record<string, string>, string],
          Record<string, [number, number][]>,
        ];
        expect([experiment, name, status, params, tag]).toEqual([
          ...["größe", "r", "FINISHED", { lr: "0.1" }, "b"],
        ]);
        expect(history["train/loss"]!.sort(([a], [b]) => a - b)).toEqual(
          Array.from({ length: 1210 }, (_, i) => [i + 1, 1 / (i + 1)]),
        );
        expect(history["eval/f1"]).toEqual([[1200, 0.75]]);
        expect(history["eval/bad"]).toEqual([[1200, "NaN"]]);
        expect(history["eval/größe ___"]).toEqual([[1200, 1]]);
      } finally {
        // The server and its workers.
        process.kill(-server.pid!, "SIGKILL");
      }
    });
  },
);
