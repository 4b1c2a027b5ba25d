// The counts of realtime for `/metrics`. It must not know how they come about.
import { counter, gauge, type Family, type Sample } from "../metrics/exposition.ts";
import type { HubCounts } from "./hub.ts";

/** One family for each count. */
export function realtimeFamilies(counts: HubCounts): readonly Family[] {
  return [
    {
      name: "pawl_realtime_subscribers",
      help: "Subscribers connected now.",
      type: "gauge",
      samples: labelled("transport", counts.subscribers),
    },
    gauge("pawl_realtime_waiting_bytes", "Bytes that wait for subscribers.", counts.waitingBytes),
    counter(
      "pawl_realtime_messages_total",
      "Messages published to somebody since the server started.",
      counts.published,
    ),
    counter(
      "pawl_realtime_deliveries_total",
      "Messages handed to subscribers since the server started, each counted once.",
      counts.delivered,
    ),
    counter(
      "pawl_realtime_messages_lost_total",
      "Messages that nobody got because too much was waiting.",
      counts.lost,
    ),
    {
      name: "pawl_realtime_subscribers_dropped_total",
      help: "Subscribers that the server dropped, by reason.",
      type: "counter",
      samples: labelled("reason", counts.dropped),
    },
  ];
}

function labelled(label: string, values: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }));
}
