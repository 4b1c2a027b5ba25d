// The policies of retention that options choose. It must not know who applies them.
import type { OptionValues } from "@pawl/server/config/options";
import { retentionPolicies, type RetentionPolicies } from "@pawl/server/loop/retention-policies";

const dayMs = 86_400_000;

/** `retention-days` for all kinds, but for what `retention` says of each. */
export function chosenPolicies(values: OptionValues): RetentionPolicies {
  const days = values["retention-days"];
  return retentionPolicies(days === 0 ? null : days * dayMs, values.retention);
}
