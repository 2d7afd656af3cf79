/** The jax-js side of the benchmarks: wasm backend in Node, the whole training step under one jit. */
import { readFileSync } from "node:fs";
import { URL } from "node:url";
import { fixedBatch, floats, startingValue } from "../fixed-data.ts";
import { divertConsole, serve } from "../serve.ts";
import { WebWorker } from "./web-worker.mjs";

divertConsole();

const manifest = new URL("../node_modules/@jax-js/jax/package.json", import.meta.url);
const { version } = JSON.parse(readFileSync(manifest, "utf8"));

/** Loads the library, which decides at that moment whether it has worker threads. */
async function load(threads) {
  if (threads > 1) {
    globalThis.Worker = WebWorker;
    const value = { hardwareConcurrency: threads, userAgent: "" };
    Object.defineProperty(globalThis, "navigator", { value, configurable: true });
  }
  const jax = await import("@jax-js/jax");
  await jax.init("wasm");
  jax.defaultDevice("wasm");
  return jax;
}

/** jax-js multiplies by weights stored [in, out]; the starting values are [out, in]. */
function transposed(values, [rows, columns]) {
  const out = new Float32Array(values.length);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) out[c * rows + r] = values[r * columns + c];
  return out;
}

function models({ nn, numpy: np }, w) {
  const linear = (x, weight, bias) => np.matmul(x, weight).add(bias);
  const named = (x, p, name) => linear(x, p[`${name}.weight`], p[`${name}.bias`]);
  const norm = (x, p, name) =>
    nn.standardize(x, -1).mul(p[`${name}.weight`]).add(p[`${name}.bias`]);

  function mlp(p, x) {
    const last = w.sizes.length - 2;
    for (let i = 0; i < last; i++) x = nn.relu(named(x, p, `layers.${i}`));
    return named(x, p, `layers.${last}`);
  }

  function attention(x, p, name) {
    const { batch, length, heads, dModel } = w;
    const joint = linear(x, p[`${name}.in_proj_weight`], p[`${name}.in_proj_bias`]);
    // Written out: dotProductAttention needs einsum, which needs Node 22.
    const [q, k, v] = np
      .split(joint, 3, -1)
      .map((part) => part.reshape([batch, length, heads, dModel / heads]).transpose([0, 2, 1, 3]));
    const scores = np.matmul(q, k.transpose([0, 1, 3, 2])).mul((dModel / heads) ** -0.5);
    const mixed = np
      .matmul(nn.softmax(scores, -1), v) // [B, H, T, d/H]
      .transpose([0, 2, 1, 3])
      .reshape([batch * length, dModel]);
    return named(mixed, p, `${name}.out_proj`);
  }

  function encoder(p, ids) {
    const { batch, length, dModel } = w;
    const flat = ids.reshape([batch * length]);
    // The gradient of np.take fails under jit ("routine primitive scatter input is not imm").
    const rows = np.matmul(nn.oneHot(flat, w.vocabulary), p["token.weight"]);
    let x = rows.reshape([batch, length, dModel]).add(p["position.weight"]);
    x = x.reshape([batch * length, dModel]);
    for (let i = 0; i < w.layers; i++) {
      const name = `encoder.layers.${i}`;
      x = norm(x.ref.add(attention(x, p, `${name}.self_attn`)), p, `${name}.norm1`);
      const wide = nn.gelu(named(x.ref, p, `${name}.linear1`), { approximate: false });
      x = norm(x.add(named(wide, p, `${name}.linear2`)), p, `${name}.norm2`);
    }
    return named(x, p, "classifier");
  }

  return w.kind === "mlp" ? mlp : encoder;
}

function training(jax, w) {
  const { nn, numpy: np, tree } = jax;
  const isTable = (name) => name === "token.weight" || name === "position.weight";
  const start = {};
  for (const spec of w.parameters) {
    const values = startingValue(spec);
    const turn = spec.shape.length === 2 && !isTable(spec.name);
    const shape = turn ? spec.shape.toReversed() : spec.shape;
    start[spec.name] = np.array(turn ? transposed(values, spec.shape) : values).reshape(shape);
  }
  const zeros = () => tree.map((leaf) => np.zeros(leaf.shape), start);
  const model = models(jax, w);
  const labels = w.kind === "mlp" ? w.sizes.at(-1) : w.labels;
  const rows = w.kind === "mlp" ? w.batch : w.batch * w.length;
  const loss = (p, x, y) =>
    nn
      .logSoftmax(model(p, x), -1)
      .mul(nn.oneHot(y, labels))
      .sum()
      .mul(-1 / rows);
  const [b1, b2, eps, lr] = [0.9, 0.999, 1e-8, w.learningRate];
  const keep = 1 - lr * (w.weightDecay ?? 0);

  const step = jax.jit((p, m, v, t, x, y) => {
    const [value, g] = jax.valueAndGrad(loss)(tree.ref(p), x, y);
    const next = t.add(1);
    const c1 = np.subtract(1, np.power(b1, next.ref));
    const c2 = np.subtract(1, np.power(b2, next.ref));
    const [np_, nm, nv] = [{}, {}, {}];
    for (const name of Object.keys(p)) {
      nm[name] = m[name].mul(b1).add(g[name].ref.mul(1 - b1));
      nv[name] = v[name].mul(b2).add(np.square(g[name]).mul(1 - b2));
      const scale = np.sqrt(nv[name].ref.div(c2.ref)).add(eps);
      const update = nm[name].ref.div(c1.ref).div(scale).mul(lr);
      np_[name] = p[name].mul(keep).sub(update);
    }
    c1.dispose();
    c2.dispose();
    return [value, np_, nm, nv, next];
  });

  const batch = fixedBatch(w);
  const dtype = w.kind === "mlp" ? np.float32 : np.int32;
  const x = np.array(batch.input, { dtype }).reshape(batch.inputShape);
  const y = np.array(batch.target, { dtype: np.int32 });
  let state = [start, zeros(), zeros(), np.array(0)];
  return async () => {
    const [value, ...after] = step(...state, x.ref, y.ref);
    state = after;
    const [number] = await value.data();
    await jax.blockUntilReady(state);
    return number;
  };
}

function dispatch({ numpy: np }, w) {
  const b = np.array(floats(w.targetSeed, w.size * w.size)).reshape([w.size, w.size]);
  let count = 0;
  return async () => {
    let x = np.full([w.size, w.size], ++count % 7);
    for (let i = 0; i < w.additions; i++) x = x.add(b.ref);
    const [value] = await x.sum().data();
    return value;
  };
}

function matmul({ numpy: np, jit }, w) {
  const square = (seed) => np.array(floats(seed, w.size * w.size)).reshape([w.size, w.size]);
  const [a, b] = [square(w.inputSeed), square(w.targetSeed)];
  const product = jit((a, b) => np.matmul(a, b));
  return async () => {
    const [value] = await product(a.ref, b.ref).data();
    return value;
  };
}

async function prepare(w, options) {
  const jax = await load(options.threads);
  if (w.kind === "dispatch") return { step: dispatch(jax, w) };
  return { step: w.kind === "matmul" ? matmul(jax, w) : training(jax, w) };
}

await serve({ version, prepare });
