// The public Standard Schema interface, version 1 (https://standardschema.dev), as far as this
// package reads it. Validators implement it; so the SDK works with all of them and depends on none.

/** A validator of values; `Input` goes in, `Output` comes out. */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    /** Exists for the type checker only. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** The verdict of a validator. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One thing a validator found wrong. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema accepts. */
export type SchemaInput<S> = S extends StandardSchemaV1<infer Input, unknown> ? Input : never;

/** What a schema yields. */
export type SchemaOutput<S> =
  S extends StandardSchemaV1<infer _Input, infer Output> ? Output : never;
