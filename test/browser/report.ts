/** What the page tells the driver. */

export type Report =
  | { readonly kind: "started"; readonly suite: string }
  | { readonly kind: "passed"; readonly suite: string; readonly name: string }
  | {
      readonly kind: "failed";
      readonly suite: string;
      readonly name: string;
      readonly reason: string;
    }
  | { readonly kind: "finished" };
