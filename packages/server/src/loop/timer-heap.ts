// A binary min-heap of jobs by due time. It must not know clocks.

export interface TimedJob {
  readonly key: string;
  readonly runId: string;
  readonly jobId: string;
  readonly dueAt: number;
}

export class TimerHeap {
  readonly #jobs: TimedJob[] = [];

  get size(): number {
    return this.#jobs.length;
  }

  /** The job that is due first; undefined when there is none. */
  peek(): TimedJob | undefined {
    return this.#jobs[0];
  }

  push(job: TimedJob): void {
    const jobs = this.#jobs;
    let index = jobs.length;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = jobs[parentIndex];
      if (parent === undefined || parent.dueAt <= job.dueAt) break;
      jobs[index] = parent;
      index = parentIndex;
    }
    jobs[index] = job;
  }

  /** Removes and returns the job that is due first. */
  pop(): TimedJob | undefined {
    const first = this.#jobs[0];
    const last = this.#jobs.pop();
    if (last !== undefined && this.#jobs.length > 0) this.#sink(last);
    return first;
  }

  #sink(job: TimedJob): void {
    const jobs = this.#jobs;
    let index = 0;
    for (;;) {
      const left = jobs[2 * index + 1];
      const right = jobs[2 * index + 2];
      if (left === undefined) break;
      const child = right !== undefined && right.dueAt < left.dueAt ? right : left;
      if (child.dueAt >= job.dueAt) break;
      jobs[index] = child;
      index = child === left ? 2 * index + 1 : 2 * index + 2;
    }
    jobs[index] = job;
  }
}
