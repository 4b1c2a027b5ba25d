"""An app written with the published Python SDK, started by record.ts so that its registrations
and replies can be recorded. It only declares functions; the recorder decides what they are asked.
"""

import datetime
import logging
import os
from collections.abc import Awaitable, Callable

import fastapi
import inngest
import inngest.fast_api
import uvicorn

logging.disable(logging.CRITICAL)

client = inngest.Inngest(app_id="shop", app_version="1.2.3")
functions: list[inngest.Function] = []
Handler = Callable[[inngest.Context], Awaitable[object]]


def define(id: str, trigger: object, handler: Handler, **options: object) -> inngest.Function:
    made = client.create_function(fn_id=id, trigger=trigger, **options)(handler)
    functions.append(made)
    return made


def on(name: str, expression: str | None = None) -> inngest.TriggerEvent:
    return inngest.TriggerEvent(event=name, expression=expression)


async def nothing(ctx: inngest.Context) -> None:
    return None


async def order() -> dict[str, object]:
    return {"order": 7, "note": "café <b> & “quotes”", "big": 9007199254740993}


def define_configurations() -> None:
    define(
        "gated",
        on("shop/order.placed", "event.data.total > 100 && event.data.currency == 'EUR'"),
        nothing,
        name="Gated <by> everything & more",
        retries=2,
        concurrency=[
            inngest.Concurrency(limit=10),
            inngest.Concurrency(limit=3, key="event.data.region", scope="account"),
        ],
        throttle=inngest.Throttle(limit=10, period=datetime.timedelta(minutes=1), burst=2, key="event.data.user"),
        priority=inngest.Priority(run="event.data.vip == true ? 120 : 0"),
        cancel=[
            inngest.Cancel(
                event="shop/order.cancelled",
                if_exp="event.data.id == async.data.id",
                timeout=datetime.timedelta(hours=1),
            ),
            inngest.Cancel(event="shop/stop"),
        ],
        timeouts=inngest.Timeouts(start=datetime.timedelta(seconds=10), finish=datetime.timedelta(hours=36)),
        on_failure=nothing,
    )
    define(
        "rate-limited",
        on("shop/viewed"),
        nothing,
        rate_limit=inngest.RateLimit(limit=4, period=90_000, key="event.data.user"),
    )
    define("idempotent", on("shop/paid"), nothing, idempotency="event.data.id")
    define(
        "debounced",
        on("shop/edited"),
        nothing,
        debounce=inngest.Debounce(key="event.data.user", period=2_000, timeout=datetime.timedelta(minutes=5)),
    )
    define(
        "batched",
        on("shop/clicked"),
        nothing,
        batch_events=inngest.Batch(
            max_size=5, timeout=datetime.timedelta(seconds=10), key="event.data.user", if_exp="event.data.vip != true"
        ),
    )
    define("single-skip", on("shop/imported"), nothing, singleton=inngest.Singleton(mode="skip", key="event.data.user"))
    define("single-cancel", on("shop/imported"), nothing, singleton=inngest.Singleton(mode="cancel"))
    define("scheduled", inngest.TriggerCron(cron="TZ=Europe/Paris 0 12 * * 5"), nothing)
    define(
        "many-triggers",
        [on("shop/a"), on("shop/b", "event.data.n >= 2"), inngest.TriggerCron(cron="*/5 * * * *")],
        nothing,
    )


def define_steps(result: inngest.Function) -> None:
    async def steps(ctx: inngest.Context) -> object:
        first = await ctx.step.run("load", order)
        await ctx.step.sleep("nap", datetime.timedelta(hours=26, seconds=3))
        await ctx.step.sleep_until("until", datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1))
        paid = await ctx.step.wait_for_event(
            "paid", event="shop/paid", if_exp="async.data.id == event.data.id", timeout=datetime.timedelta(days=3)
        )
        invoked = await ctx.step.invoke("child", function=result, data={"a": 1}, timeout=datetime.timedelta(minutes=5))
        sent = await ctx.step.send_event(
            "announce",
            [
                inngest.Event(name="shop/announced", data={"n": 1}),
                inngest.Event(name="shop/announced", data={"n": 2}, id="mine-2"),
            ],
        )
        return {"first": first, "paid": paid.name if paid else None, "invoked": invoked, "sent": sent}

    async def repeats(ctx: inngest.Context) -> str:
        return "".join([await ctx.step.run("same", value("x")) for _ in range(3)])

    async def wait_forever(ctx: inngest.Context) -> object:
        return await ctx.step.wait_for_event("any", event="shop/any", timeout=500)

    async def invoke_bare(ctx: inngest.Context) -> object:
        return await ctx.step.invoke_by_id("other", app_id="elsewhere", function_id="job")

    async def nested(ctx: inngest.Context) -> object:
        async def outer() -> object:
            return await ctx.step.run("inner", order)

        return await ctx.step.run("outer", outer)

    define("steps", on("shop/recorded"), steps)
    define("repeats", on("shop/recorded"), repeats)
    define("wait-any", on("shop/recorded"), wait_forever)
    define("invoke-bare", on("shop/recorded"), invoke_bare)
    define("nested", on("shop/recorded"), nested)
    define("parallel", on("shop/recorded"), parallel(inngest.ParallelMode.WAIT))
    define("parallel-race", on("shop/recorded"), parallel(inngest.ParallelMode.RACE))


def value(text: str) -> Callable[[], Awaitable[str]]:
    async def give() -> str:
        return text

    return give


def parallel(mode: inngest.ParallelMode) -> Handler:
    async def handler(ctx: inngest.Context) -> object:
        async def pair(name: str) -> str:
            first = await ctx.step.run(f"{name}-1", value(f"{name}1"))
            return first + await ctx.step.run(f"{name}-2", value(f"{name}2"))

        return await ctx.group.parallel(
            (
                lambda: pair("a"),
                lambda: pair("b"),
                lambda: ctx.step.sleep("nap", 1000),
            ),
            parallel_mode=mode,
        )

    return handler


def define_errors() -> None:
    def step_raising(id: str, make: Callable[[], Exception]) -> None:
        async def breaks() -> None:
            raise make()

        async def handler(ctx: inngest.Context) -> object:
            return await ctx.step.run("breaks", breaks)

        define(id, on("shop/recorded"), handler)

    def raising(id: str, make: Callable[[], Exception]) -> None:
        async def handler(ctx: inngest.Context) -> object:
            raise make()

        define(id, on("shop/recorded"), handler)

    def no_retry() -> Exception:
        return inngest.NonRetriableError("no such card")

    def retry_after() -> Exception:
        return inngest.RetryAfterError("bank is closed", datetime.timedelta(hours=1))

    step_raising("step-error", lambda: ValueError("card <declined> & lost"))
    step_raising("step-no-retry", no_retry)
    step_raising("step-retry-after", retry_after)
    raising("fn-error", lambda: ValueError("function broke"))
    raising("fn-no-retry", no_retry)
    raising("fn-retry-after", retry_after)

    async def caught(ctx: inngest.Context) -> str:
        try:
            return await ctx.step.run("breaks", order)
        except inngest.StepError as error:
            return f"caught: {error.name} {error.message}"

    async def unserialisable(ctx: inngest.Context) -> object:
        return {"when": datetime.datetime(2030, 1, 1)}

    define("caught", on("shop/recorded"), caught)
    define("unserialisable", on("shop/recorded"), unserialisable)


async def result(ctx: inngest.Context) -> object:
    return await order()


define_configurations()
define_steps(define("result", on("shop/recorded"), result))
define_errors()
define("result-null", on("shop/recorded"), nothing)

app = fastapi.FastAPI()
inngest.fast_api.serve(
    app,
    client,
    functions,
    streaming=inngest.Streaming.FORCE if os.getenv("RECORD_STREAMING") == "1" else None,
)


@app.get("/send")
async def send() -> object:
    return await client.send(
        [
            inngest.Event(name="shop/sent", data={"n": 1, "text": "<é>"}),
            inngest.Event(name="shop/sent", data={"n": 2}, id="order-2", ts=1700000000123, user={"id": "u1"}, v="2"),
        ]
    )


uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="critical")
