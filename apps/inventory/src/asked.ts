import type { CallDefinition, RequestOf } from '#libs/contracts';

/** A request as it arrives: with its organisation. */
export type Asked<D extends CallDefinition> = RequestOf<D> & { readonly orgId: string };
