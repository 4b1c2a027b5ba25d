// Times of arrival that do not step back when the clock does, so that looking back over events
// finds them in the order in which they came.

/** A clock set back by more than this was wrong before; arrivals then follow it. */
export const arrivalAheadMaxMs = 3_600_000;

/** A function from the time of the clock, ms, to a time of arrival that never lies before the last. */
export function createArrivals(): (now: number) => number {
  let last = Number.NEGATIVE_INFINITY;
  return (now) => {
    last = last - now > arrivalAheadMaxMs ? now : Math.max(last, now);
    return last;
  };
}
