/** The base of modules that map one tensor to one. */

import type { Tensor } from "../tensor.ts";
import { Module } from "./module.ts";

/** A module that maps one tensor to one. */
export abstract class Layer extends Module {
  abstract override forward(x: Tensor): Tensor;
}
