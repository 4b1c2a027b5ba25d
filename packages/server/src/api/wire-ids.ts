// Ids that the wire wants of things this server has only one of.
import { uuidFromName } from "@pawl/protocol/uuid";

/** There is one account and one environment; both have a fixed id. */
export const accountId = uuidFromName("pawl:account");
export const environmentId = uuidFromName("pawl:environment");
