/** Helpers around modules: torch.nn.utils. */

export { parametersToVector, vectorToParameters } from "./parameter-vector.ts";
export * as parametrizations from "./parametrizations.ts";
export {
  isParametrized,
  Parametrization,
  registerParametrization,
  removeParametrizations,
} from "./parametrize.ts";
