// Package lambdahttp lets net/http handlers answer API Gateway: it turns an event
// of an HTTP API (payload format 2.0) into an http.Request, and what the handler
// writes into the event's answer.
//
// The event is what the gateway says about the caller; headers are what the
// caller says. So the address comes from the event alone, forwarded headers are
// dropped, and a path is served only if it is of the route for which the
// gateway let the caller in. Claims are those of a token that the gateway checked.
//
// It knows no route and no rule. boot imports it.
package lambdahttp

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
)

// MaxBody is the largest body that is handed on, in bytes, decoded: what Lambda's
// 6 MB hold of base64, and room for headers. Handlers have limits of their own.
const MaxBody = 4352 << 10

// Handler returns a function for lambda.Start that answers events by h. It never
// returns an error: what is wrong with an event is the caller's to hear.
func Handler(h http.Handler) func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	return func(ctx context.Context, e events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		w := newAnswer()
		r, refused := request(ctx, e)
		if refused != nil {
			refused.write(w)
		} else {
			h.ServeHTTP(w, r)
		}
		return w.response(e.RequestContext.HTTP.Method == http.MethodHead), nil
	}
}

type contextKey int

const (
	claimsKey contextKey = iota
	requestKey
	beforeKey
)

// Claims returns the claims of the token by which the gateway's authorizer let
// the caller in; false if the route has none.
func Claims(ctx context.Context) (map[string]string, bool) {
	c, ok := ctx.Value(claimsKey).(map[string]string)
	return c, ok
}

// Before returns who called the proxy that called the gateway, in the form of
// http.Request.RemoteAddr, or nothing. Whoever calls the gateway itself can write
// there what they like: it means something only once the proxy has shown that it is ours.
func Before(ctx context.Context) string {
	address, _ := ctx.Value(beforeKey).(string)
	return address
}

// RequestID returns the gateway's id of the request, for logs; empty outside of one.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey).(string)
	return id
}

// refusal is why an event never became a request.
type refusal struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func refuse(status int, code, detail string) *refusal {
	return &refusal{http.StatusText(status), status, code, detail}
}

func (r *refusal) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(r.Status)
	_ = json.NewEncoder(w).Encode(r) // it is memory
}
