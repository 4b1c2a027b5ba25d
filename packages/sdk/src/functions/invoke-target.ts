// What `step.invoke` can call, and the reference to a function that lives elsewhere. Must not know
// how functions are defined or run.

/** Something `step.invoke` can call: it takes `Data` and returns `Output`. */
export interface InvokeTarget<Data = unknown, Output = unknown> {
  /** The app's id; null: the app of the caller. */
  readonly appId: string | null;
  readonly id: string;
  /** For the type checker only. */
  readonly "~types"?: { readonly data: Data; readonly output: Output };
}

/** The data a function takes when it is invoked. */
export type InvokeDataOf<Target> = Target extends InvokeTarget<infer Data> ? Data : never;

/** The option `data` of those who start a function: needed where its type says so. */
export type InvokeData<Target> = [InvokeDataOf<Target>] extends [never]
  ? { readonly data?: Readonly<Record<string, unknown>> }
  : Record<never, never> extends InvokeDataOf<Target>
    ? { readonly data?: InvokeDataOf<Target> }
    : { readonly data: InvokeDataOf<Target> };

/** What a function returns. */
export type OutputOf<Target> = Target extends InvokeTarget<unknown, infer Output> ? Output : never;

/** A function of this or of another app, or in another language, to be invoked by its id. */
export function referenceFunction<
  Target extends InvokeTarget = InvokeTarget<Readonly<Record<string, unknown>>>,
>(reference: {
  readonly functionId: string;
  readonly appId?: string;
}): InvokeTarget<InvokeDataOf<Target>, OutputOf<Target>> {
  return { appId: reference.appId ?? null, id: reference.functionId };
}
