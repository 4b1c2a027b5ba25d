// An app written with the published Go SDK, started by record.ts so that its registrations and
// replies can be recorded. It only declares functions; the recorder decides what they are asked.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/inngest/inngest/pkg/enums"
	"github.com/inngest/inngestgo"
	sdkerrors "github.com/inngest/inngestgo/errors"
	"github.com/inngest/inngestgo/group"
	"github.com/inngest/inngestgo/pkg/checkpoint"
	"github.com/inngest/inngestgo/step"
)

type input = inngestgo.Input[map[string]any]
type handler = inngestgo.SDKFunction[map[string]any]

var client inngestgo.Client

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func ptr[T any](value T) *T { return &value }

func define(opts inngestgo.FunctionOpts, trigger triggerable, f handler) {
	must(inngestgo.CreateFunction(client, opts, trigger, f))
}

// One trigger or several.
type triggerable interface {
	Triggers() []inngestgo.Trigger
}

func on(name string) inngestgo.Trigger { return inngestgo.EventTrigger(name, nil) }

func opts(id string) inngestgo.FunctionOpts { return inngestgo.FunctionOpts{ID: id} }

func nothing(ctx context.Context, in input) (any, error) { return nil, nil }

func defineConfigurations() {
	define(inngestgo.FunctionOpts{
		ID:      "gated",
		Name:    "Gated <by> everything & more",
		Retries: ptr(2),
		Concurrency: &inngestgo.ConfigConcurrency{
			Fn: []inngestgo.ConfigFnConcurrency{{Limit: 5, Key: ptr("event.data.tenant")}},
			Step: []inngestgo.ConfigStepConcurrency{
				{Limit: 10},
				{Limit: 3, Key: ptr("event.data.region"), Scope: enums.ConcurrencyScopeAccount},
			},
		},
		Throttle: &inngestgo.ConfigThrottle{Limit: 10, Period: time.Minute, Burst: 2, Key: ptr("event.data.user")},
		Priority: &inngestgo.ConfigPriority{Run: ptr("event.data.vip == true ? 120 : 0")},
		Cancel: []inngestgo.ConfigCancel{
			{Event: "shop/order.cancelled", If: ptr("event.data.id == async.data.id"), Timeout: ptr("1h")},
			{Event: "shop/stop"},
		},
		Timeouts: &inngestgo.ConfigTimeouts{Start: ptr(10 * time.Second), Finish: ptr(36 * time.Hour)},
	}, inngestgo.EventTrigger("shop/order.placed", ptr("event.data.total > 100 && event.data.currency == 'EUR'")), nothing)

	define(inngestgo.FunctionOpts{
		ID:        "rate-limited",
		RateLimit: &inngestgo.ConfigRateLimit{Limit: 4, Period: 90 * time.Second, Key: ptr("event.data.user")},
	}, on("shop/viewed"), nothing)
	define(inngestgo.FunctionOpts{ID: "idempotent", Idempotency: ptr("event.data.id")}, on("shop/paid"), nothing)
	define(inngestgo.FunctionOpts{
		ID:       "debounced",
		Debounce: &inngestgo.ConfigDebounce{Key: "event.data.user", Period: 1500 * time.Millisecond, Timeout: ptr(5 * time.Minute)},
	}, on("shop/edited"), nothing)
	define(inngestgo.FunctionOpts{
		ID: "batched",
		BatchEvents: &inngestgo.ConfigBatchEvents{
			MaxSize: 5, Timeout: 10 * time.Second, Key: ptr("event.data.user"), If: ptr("event.data.vip != true"),
		},
	}, on("shop/clicked"), nothing)
	define(inngestgo.FunctionOpts{
		ID:        "single-skip",
		Singleton: &inngestgo.ConfigSingleton{Mode: enums.SingletonModeSkip, Key: ptr("event.data.user")},
	}, on("shop/imported"), nothing)
	define(inngestgo.FunctionOpts{
		ID: "single-cancel", Singleton: &inngestgo.ConfigSingleton{Mode: enums.SingletonModeCancel},
	}, on("shop/imported"), nothing)
	define(opts("scheduled"), inngestgo.CronTriggerWithJitter("TZ=Europe/Paris 0 12 * * 5", 30*time.Second), nothing)
	define(opts("many-triggers"), inngestgo.MultipleTriggers{
		on("shop/a"),
		inngestgo.EventTrigger("shop/b", ptr("event.data.n >= 2")),
		inngestgo.CronTrigger("*/5 * * * *"),
	}, nothing)
}

func order(ctx context.Context) (map[string]any, error) {
	return map[string]any{"order": 7, "note": "café <b> & “quotes”", "big": 9007199254740993}, nil
}

func fail(message string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return "", errors.New(message) }
}

func value(v string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return v, nil }
}

func defineSteps() {
	define(opts("steps"), on("shop/recorded"), func(ctx context.Context, in input) (any, error) {
		first := must(step.Run(ctx, "load", order))
		step.Sleep(ctx, "nap", 26*time.Hour+3*time.Second+500*time.Millisecond)
		step.SleepUntil(ctx, "until", time.Now().Add(time.Hour))
		paid, err := step.WaitForEvent[map[string]any](ctx, "paid", step.WaitForEventOpts{
			Event: "shop/paid", Timeout: 3 * 24 * time.Hour, If: ptr("async.data.id == event.data.id"),
		})
		invoked, invokeErr := step.Invoke[any](ctx, "child", step.InvokeOpts{
			FunctionId: "shop-result", Data: map[string]any{"a": 1}, Timeout: 5 * time.Minute,
		})
		sent := must(step.SendMany(ctx, "announce", []inngestgo.GenericEvent[map[string]any]{
			{Name: "shop/announced", Data: map[string]any{"n": 1}},
			{Name: "shop/announced", Data: map[string]any{"n": 2}, ID: ptr("mine-2")},
		}))
		return map[string]any{
			"first": first, "paid": paid["name"], "waitError": text(err), "invoked": invoked, "invokeError": text(invokeErr), "sent": sent,
		}, nil
	})
	define(opts("wait-signal"), on("shop/recorded"), func(ctx context.Context, in input) (any, error) {
		return step.WaitForSignal[any](ctx, "approval", step.WaitForSignalOpts{Signal: "approve-7", Timeout: time.Minute})
	})
	define(opts("fetches"), on("shop/recorded"), func(ctx context.Context, in input) (any, error) {
		return step.Fetch[any](ctx, "call-out", step.FetchOpts{
			URL: "http://127.0.0.1:9/none", Method: "POST", Headers: map[string]string{"x-a": "1"}, Body: `{"q":1}`,
		})
	})
	define(opts("repeats"), on("shop/recorded"), func(ctx context.Context, in input) (any, error) {
		sum := ""
		for range 3 {
			sum += must(step.Run(ctx, "same", value("x")))
		}
		return sum, nil
	})
	pair := func(name string) func(context.Context) (any, error) {
		return func(ctx context.Context) (any, error) {
			first, err := step.Run(ctx, name+"-1", value(name+"1"))
			if err != nil {
				return nil, err
			}
			second, err := step.Run(ctx, name+"-2", value(name+"2"))
			return first + second, err
		}
	}
	for id, mode := range map[string]enums.ParallelMode{"parallel": enums.ParallelModeWait, "parallel-race": enums.ParallelModeRace} {
		define(opts(id), on("shop/recorded"), func(ctx context.Context, in input) (any, error) {
			results := group.ParallelWithOpts(ctx, group.ParallelOpts{ParallelMode: mode},
				pair("a"), pair("b"),
				func(ctx context.Context) (any, error) { step.Sleep(ctx, "nap", time.Second); return nil, nil },
			)
			return len(results), results.AnyError()
		})
	}
	configs := map[string]*checkpoint.Config{
		"checkpointed":       checkpoint.ConfigSafe,
		"checkpointed-batch": {BatchSteps: 3, BatchInterval: 3 * time.Second, MaxRuntime: time.Minute},
	}
	for id, config := range configs {
		define(inngestgo.FunctionOpts{ID: id, Checkpoint: config}, on("shop/recorded"), func(ctx context.Context, in input) (any, error) {
			a := must(step.Run(ctx, "a", order))
			b := must(step.Run(ctx, "b", value("b <done>")))
			if in.Event.Data["sleep"] == true {
				step.Sleep(ctx, "nap", time.Minute)
			}
			if in.Event.Data["fail"] == true {
				must(step.Run(ctx, "c", fail("third step broke")))
			}
			return map[string]any{"a": a, "b": b}, nil
		})
	}
	define(inngestgo.FunctionOpts{
		ID: "checkpointed-short", Checkpoint: &checkpoint.Config{MaxRuntime: 50 * time.Millisecond},
	}, on("shop/recorded"), func(ctx context.Context, in input) (any, error) {
		slow := must(step.Run(ctx, "slow", func(context.Context) (string, error) {
			time.Sleep(200 * time.Millisecond)
			return "slow", nil
		}))
		return slow + must(step.Run(ctx, "b", value("b"))), nil
	})
}

func text(err error) any {
	if err == nil {
		return nil
	}
	return err.Error()
}

func defineErrors() {
	stepWith := func(id string, err error) {
		define(opts(id), on("shop/recorded"), func(ctx context.Context, in input) (any, error) {
			return step.Run(ctx, "breaks", func(context.Context) (map[string]any, error) { return map[string]any{"partial": true}, err })
		})
	}
	at := time.Now().Add(time.Hour)
	stepWith("step-error", errors.New("card <declined> & lost"))
	stepWith("step-no-retry", sdkerrors.NoRetryError(errors.New("no such card")))
	stepWith("step-retry-after", sdkerrors.RetryAtError(errors.New("bank is closed"), at))
	for id, err := range map[string]error{
		"fn-error":       errors.New("function broke"),
		"fn-no-retry":    sdkerrors.NoRetryError(errors.New("function broke for good")),
		"fn-retry-after": sdkerrors.RetryAtError(errors.New("function asks for later"), at),
	} {
		define(opts(id), on("shop/recorded"), func(ctx context.Context, in input) (any, error) { return nil, err })
	}
	define(opts("fn-panic"), on("shop/recorded"), func(ctx context.Context, in input) (any, error) { panic("out of paper") })
	define(opts("caught"), on("shop/recorded"), func(ctx context.Context, in input) (any, error) {
		_, err := step.Run(ctx, "breaks", fail("x"))
		if err != nil {
			return "caught: " + err.Error(), nil
		}
		return "none", nil
	})
	define(opts("result"), on("shop/recorded"), func(ctx context.Context, in input) (any, error) { return order(ctx) })
	define(opts("result-null"), on("shop/recorded"), nothing)
}

func main() {
	clientOpts := inngestgo.ClientOpts{
		AppID: "shop", AppVersion: ptr("1.2.3"), UseStreaming: os.Getenv("RECORD_STREAMING") == "1",
	}
	// Checkpoints ignore INNGEST_BASE_URL; without this they would go to the vendor's host.
	if base := os.Getenv("INNGEST_BASE_URL"); base != "" {
		clientOpts.APIBaseURL = &base
	}
	client = must(inngestgo.NewClient(clientOpts))
	defineConfigurations()
	defineSteps()
	defineErrors()
	http.Handle("/api/inngest", client.Serve())
	http.HandleFunc("/send", func(w http.ResponseWriter, r *http.Request) {
		ids, err := client.SendMany(r.Context(), []any{
			inngestgo.Event{Name: "shop/sent", Data: map[string]any{"n": 1, "text": "<é>"}},
			inngestgo.Event{Name: "shop/sent", Data: map[string]any{"n": 2}, ID: ptr("order-2"), Timestamp: inngestgo.Timestamp(time.UnixMilli(1700000000123)), User: map[string]any{"id": "u1"}, Version: "2"},
		})
		fmt.Fprintf(w, "%v %v", ids, err)
	})
	listener := must(net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT")))
	panic(http.Serve(listener, nil))
}
