/** Orders the API reference by families, which are the files of src/, and shows functions that stand for methods as functions. */

import {
  CommentTag,
  Converter,
  DeclarationReflection,
  ParameterReflection,
  ReflectionFlag,
  ReflectionKind,
  ReflectionType,
  TupleType,
} from "typedoc";

const FAMILIES = {
  tensor: "Tensors",
  "tensor/core": "Elements, history, state",
  "tensor/arithmetic": "Arithmetic",
  "tensor/functions": "Functions of one number",
  "tensor/pointwise": "Comparison and choice",
  "tensor/ordering": "Order, extremes, counts",
  "tensor/reductions": "Reductions",
  "tensor/conversions": "Dtypes",
  "tensor/shaping": "Shape",
  "tensor/rearranging": "Pieces, repetition, diagonals",
  "tensor/selecting": "Indexing",
  "tensor/indexing": "Writing at positions",
  "tensor/products": "Products",
  "tensor/in-place": "In place",
  creation: "Creation",
  joining: "Joining",
  random: "Random numbers",
  compile: "Compiled functions",
  grad: "Gradients",
  trace: "Gradients",
  device: "Devices",
  print: "Printing",
  "nn/module": "Modules",
  "nn/layer": "Modules",
  "nn/containers": "Modules",
  "nn/hooks": "Modules",
  "nn/summary": "Modules",
  "nn/linear": "Linear",
  "nn/activation": "Activations",
  "nn/activation-settings": "Activations",
  "nn/conv": "Convolution and pooling",
  "nn/pooling": "Convolution and pooling",
  "nn/vision": "Images",
  "nn/batch-norm": "Normalization",
  "nn/normalization": "Normalization",
  "nn/dropout": "Dropout",
  "nn/embedding": "Embedding",
  "nn/attention": "Attention and Transformers",
  "nn/transformer": "Attention and Transformers",
  "nn/recurrent": "Recurrent networks",
  "nn/recurrent-cells": "Recurrent networks",
  "nn/loss": "Losses",
  "nn/distance": "Losses",
  "nn/functional/activation": "Activations",
  "nn/functional/attention": "Attention",
  "nn/functional/conv": "Convolution and pooling",
  "nn/functional/pooling": "Convolution and pooling",
  "nn/functional/patches": "Convolution and pooling",
  "nn/functional/vision": "Images",
  "nn/functional/normalization": "Normalization",
  "nn/functional/dropout": "Dropout",
  "nn/functional/linear": "Linear and embedding",
  "nn/functional/distance": "Losses",
  "nn/functional/loss": "Losses",
  "nn/functional/binary-loss": "Losses",
  "nn/functional/cross-entropy": "Losses",
  "nn/functional/ctc": "Losses",
  "nn/functional/margin-loss": "Losses",
  "optim/schedule": "Schedules",
  "optim/decay-schedules": "Schedules",
  "optim/lr-scheduler": "Schedules",
  "optim/one-cycle": "Schedules",
  "optim/plateau": "Schedules",
  "optim/sequential": "Schedules",
};

/** The file of src/ a reflection comes from, without its ending. */
const fileOf = (reflection) =>
  /(?:^|\/)src\/(.*)\.ts$/.exec(reflection.sources?.[0]?.fullFileName ?? "")?.[1] ?? "";

function putInto(reflection, family) {
  if (family === undefined) return;
  const owners = reflection.signatures ?? [reflection.getSignature ?? reflection];
  // One without a docstring stays without a comment, and is reported.
  for (const owner of owners)
    owner.comment?.blockTags.push(new CommentTag("@category", [{ kind: "text", text: family }]));
}

/** A constant made of a method becomes a function with the method's comment and the names of its parameters. */
function asFunction(project, constant, method) {
  const { type } = constant;
  const signatures = type instanceof ReflectionType ? type.declaration.signatures : undefined;
  if (!signatures) throw new Error(`typedoc-families: ${constant.name} is not a function`);
  constant.kind = ReflectionKind.Function;
  constant.signatures = signatures;
  delete constant.type;
  delete constant.defaultValue;
  signatures.forEach((signature, i) => {
    const own = method.signatures[Math.min(i, method.signatures.length - 1)];
    signature.name = constant.name;
    signature.parent = constant;
    signature.comment = (own.comment ?? method.signatures[0].comment)?.clone();
    signature.parameters = signature.parameters.flatMap((parameter) =>
      parameter.type instanceof TupleType && parameter.flags.isRest
        ? parameter.type.elements.map((member) => named(project, signature, member))
        : [parameter],
    );
  });
}

/** A parameter of its own for a named member of a tuple of parameters. */
function named(project, signature, { name, element, isOptional }) {
  const parameter = new ParameterReflection(name, ReflectionKind.Parameter, signature);
  parameter.type = element;
  parameter.setFlag(ReflectionFlag.Optional, isOptional);
  project.registerReflection(parameter, undefined, undefined);
  return parameter;
}

export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    const all = project
      .getReflectionsByKind(ReflectionKind.All)
      .filter((reflection) => reflection instanceof DeclarationReflection);
    const tensor = all.find(({ name, kind }) => name === "Tensor" && kind === ReflectionKind.Class);
    for (const reflection of all) {
      const { kind, parent } = reflection;
      let file = fileOf(reflection);
      if (file === "functions" && kind === ReflectionKind.Variable) {
        const method = tensor.getChildByName([reflection.name]);
        asFunction(project, reflection, method);
        file = fileOf(method);
      }
      const member = parent?.kindOf(ReflectionKind.ClassOrInterface);
      const exported = parent?.kindOf(ReflectionKind.SomeModule);
      const value = reflection.kindOf([ReflectionKind.Function, ReflectionKind.Class]);
      if (parent === tensor || (exported && !member && value)) putInto(reflection, FAMILIES[file]);
    }
  });
}
