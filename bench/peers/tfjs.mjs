/** The TensorFlow.js side of the benchmarks: wasm backend in Node. */
import { createRequire } from "node:module";
import { fixedBatch, floats, startingValue } from "../fixed-data.ts";
import { divertConsole, serve } from "../serve.ts";

divertConsole();

const require = createRequire(import.meta.url);
const tf = require("@tensorflow/tfjs");
require("@tensorflow/tfjs-backend-wasm");

/**
 * Rows of a table. The library's own gradient of gather needs a kernel (UnsortedSegmentSum) that the wasm backend does
 * not have; scatterND adds the rows up instead.
 */
function lookUp(table, ids) {
  const rows = tf.customGrad((table) => ({
    value: tf.gather(table, ids),
    gradFunc: (dy) => tf.scatterND(ids.expandDims(1), dy, table.shape),
  }));
  return rows(table);
}

/** The transpose of the last two axes, as a tensor of its own. */
function turned(x) {
  const axes = x.shape.map((_, axis) => axis);
  axes.push(...axes.splice(-2).reverse());
  return tf.transpose(x, axes);
}

/**
 * A matrix product whose gradient transposes explicitly: the wasm backend has its quick kernel (XNNPACK) only for
 * products without transposed arguments, and the library's own gradient has them.
 */
const multiply = tf.customGrad((a, b, save) => {
  save([a, b]);
  return {
    value: tf.matMul(a, b),
    gradFunc: (dy, [a, b]) => [tf.matMul(dy, turned(b)), tf.matMul(turned(a), dy)],
  };
});

/** Weights are [in, out] here, as the library's own layers store them. */
const affine = (x, weight, bias) => multiply(x, weight).add(bias);
const linear = (x, p, name) => affine(x, p[`${name}.weight`], p[`${name}.bias`]);

function layerNorm(x, p, name) {
  const { mean, variance } = tf.moments(x, -1, true);
  const unit = x.sub(mean).mul(variance.add(1e-5).rsqrt());
  return unit.mul(p[`${name}.weight`]).add(p[`${name}.bias`]);
}

const gelu = (x) => x.mul(0.5).mul(x.mul(Math.SQRT1_2).erf().add(1));

function attention(x, p, name, { batch, length, heads, dModel }) {
  const split = affine(x, p[`${name}.in_proj_weight`], p[`${name}.in_proj_bias`])
    .reshape([batch, length, 3 * heads, dModel / heads])
    .transpose([0, 2, 1, 3]); // [B, 3·heads, T, d/heads]
  const [q, k, v] = tf.split(split, 3, 1);
  const weights = tf.softmax(multiply(q, turned(k)).mul((dModel / heads) ** -0.5));
  const mixed = multiply(weights, v)
    .transpose([0, 2, 1, 3])
    .reshape([batch * length, dModel]);
  return linear(mixed, p, `${name}.out_proj`);
}

function encoder(ids, p, w) {
  const { batch, length, dModel } = w;
  const token = lookUp(p["token.weight"], ids);
  let x = token.reshape([batch, length, dModel]).add(p["position.weight"]);
  x = x.reshape([batch * length, dModel]);
  for (let i = 0; i < w.layers; i++) {
    const name = `encoder.layers.${i}`;
    x = layerNorm(x.add(attention(x, p, `${name}.self_attn`, w)), p, `${name}.norm1`);
    const wide = gelu(linear(x, p, `${name}.linear1`));
    x = layerNorm(x.add(linear(wide, p, `${name}.linear2`)), p, `${name}.norm2`);
  }
  return linear(x, p, "classifier");
}

function mlp(x, p, w) {
  const last = w.sizes.length - 2;
  for (let i = 0; i < last; i++) x = tf.relu(linear(x, p, `layers.${i}`));
  return linear(x, p, `layers.${last}`);
}

function training(w) {
  const p = {};
  for (const spec of w.parameters) {
    const value = tf.tensor(startingValue(spec), spec.shape);
    const table =
      spec.shape.length < 2 || spec.name.startsWith("token.") || spec.name.startsWith("position.");
    p[spec.name] = tf.variable(table ? value : turned(value));
  }
  const batch = fixedBatch(w);
  const input =
    w.kind === "mlp" ? tf.tensor(batch.input, batch.inputShape) : tf.tensor1d(batch.input, "int32");
  const labels = w.kind === "mlp" ? w.sizes.at(-1) : w.labels;
  const target = tf.oneHot(tf.tensor1d(batch.target, "int32"), labels).toFloat();
  const model = w.kind === "mlp" ? mlp : encoder;
  const optimizer = tf.train.adam(w.learningRate, 0.9, 0.999, 1e-8);
  const variables = Object.values(p);
  const keep = 1 - w.learningRate * (w.weightDecay ?? 0);
  return async () => {
    if (keep !== 1) tf.tidy(() => variables.forEach((v) => v.assign(v.mul(keep))));
    const forward = () => tf.losses.softmaxCrossEntropy(target, model(input, p, w));
    const loss = optimizer.minimize(forward, true, variables);
    const [value] = await loss.data();
    loss.dispose();
    return value;
  };
}

function dispatch(w) {
  const b = tf.tensor(floats(w.targetSeed, w.size * w.size), [w.size, w.size]);
  let count = 0;
  return async () => {
    count++;
    const end = tf.tidy(() => {
      let x = tf.fill([w.size, w.size], count % 7);
      for (let i = 0; i < w.additions; i++) x = x.add(b);
      return x.sum();
    });
    const [value] = await end.data();
    end.dispose();
    return value;
  };
}

function matmul(w) {
  const a = tf.tensor(floats(w.inputSeed, w.size * w.size), [w.size, w.size]);
  const b = tf.tensor(floats(w.targetSeed, w.size * w.size), [w.size, w.size]);
  return async () => {
    const first = tf.tidy(() => tf.matMul(a, b).slice([0, 0], [1, 1]));
    const [value] = await first.data();
    first.dispose();
    return value;
  };
}

async function prepare(w) {
  await tf.setBackend("wasm");
  await tf.ready();
  if (w.kind === "dispatch") return { step: dispatch(w) };
  return { step: w.kind === "matmul" ? matmul(w) : training(w) };
}

await serve({ version: tf.version_core, prepare });
