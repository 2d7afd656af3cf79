/** The base of modules that map one tensor to one. */

import type { Tensor } from "../tensor.ts";
import { Module } from "./module.ts";

/** A module that maps one tensor to one. */
export abstract class Layer extends Module {
  /** What the layer makes of one tensor. */
  abstract override forward(x: Tensor): Tensor;
}
